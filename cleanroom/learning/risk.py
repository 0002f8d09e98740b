"""Risk sets of a Cox regression: an owner's sums by cell, and the partial likelihood from them.

Rule: arithmetic, without a step. Ties count as Efron has them: of d events at one time, the l-th
leaves a risk set from which l / d of all d are gone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.curvature import square
from cleanroom.learning.facts import Floats
from cleanroom.learning.times import Cells


@dataclass(frozen=True)
class Ordered:
    """An owner's rows, cell by cell, those with an event first within each.

    Attributes:
        design: (1 + p, n), ones first.
        starts: (cells + 1,) where each cell begins. events: (cells,) how many come first in it.
    """

    design: Floats
    starts: NDArray[np.intp]
    events: NDArray[np.intp]

    @classmethod
    def of(cls, design: Floats, cells: NDArray[np.intp], happened: Floats, count: int) -> "Ordered":
        """Sort rows; those that left before the first event are not at risk, and not kept."""
        at_risk = np.flatnonzero(cells >= 0)
        order = at_risk[np.lexsort((-happened[at_risk], cells[at_risk]))]
        sizes = np.bincount(cells[at_risk], minlength=count)
        events = np.bincount(cells[at_risk], happened[at_risk], minlength=count)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return cls(np.ascontiguousarray(design[:, order]), starts, events.astype(np.intp))

    def event_totals(self) -> Floats:
        """Return the columns' sums over rows with an event, (1 + p,)."""
        ends = self.starts[:-1] + self.events
        total = np.zeros(len(self.design))
        for start, end in zip(self.starts[:-1], ends, strict=True):
            total += self.design[:, start:end].sum(axis=1)
        return total

    def sums(
        self, beta: Floats, limit: float, tied: NDArray[np.intp]
    ) -> tuple[Floats, Floats, int]:
        """Return sums of products of columns, weighted with the hazard.

        Args:
            tied: the cells of which those with an event are summed apart.

        Returns:
            (cells, m) over all rows and (tied, m) over rows with an event; m = (1 + p)(2 + p) / 2
            products, the upper triangle row by row; and how many hazards were cut at the limit.
        """
        p = len(self.design)
        eta = beta @ self.design[1:]
        hazard = np.exp(np.minimum(eta, limit))
        weighted, upper = self.design * hazard, np.triu_indices(p)
        found = np.zeros((len(self.events), len(upper[0])))
        apart = np.zeros((len(tied), len(upper[0])))
        for cell, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            if end > start:
                found[cell] = (weighted[:, start:end] @ self.design[:, start:end].T)[upper]
        for at, cell in enumerate(tied):
            start = self.starts[cell]
            end = start + self.events[cell]
            apart[at] = (weighted[:, start:end] @ self.design[:, start:end].T)[upper]
        return found, apart, int(np.count_nonzero(eta > limit))


@dataclass(frozen=True)
class Partial:
    """The partial likelihood at some coefficients.

    Attributes:
        loss: its negative logarithm. gradient: (p,) towards a smaller loss. curvature: (p, p).
        hazards: (cells,) the baseline's, of each event time, as Breslow has it.
        events: all of them.
    """

    loss: float
    gradient: Floats
    curvature: Floats
    hazards: Floats
    events: int


def partial(
    cells: Cells, events: Floats, totals: Floats, beta: Floats, all_: Floats, tied: Floats
) -> Partial:
    """Put the sums of all owners together.

    Args:
        events: (cells,) of those rows that the other sums are of: an owner may have left since
            cells were found.
        totals: (1 + p,) the columns' sums over all rows with an event.
        all_: (cells, m). tied: (cells with more than one event, m).
    """
    p = len(beta)
    at_risk = np.cumsum(all_[::-1], axis=0)[::-1]
    ties = np.zeros_like(all_)
    ties[cells.events > 1] = tied
    counts = np.round(events).astype(np.intp)
    cell = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    gone = (np.arange(len(cell)) - first[cell]) / counts[cell]
    left = at_risk[cell, 0] - gone * ties[cell, 0]
    once = np.bincount(cell, 1 / left, minlength=len(counts))
    part = np.bincount(cell, gone / left, minlength=len(counts))
    inner = square(once @ at_risk - part @ ties, 1 + p)
    risk, tie = at_risk[:, 1 : 1 + p], ties[:, 1 : 1 + p]
    curvature = inner[1:, 1:].copy()
    for power, one, other in ((0, risk, risk), (1, risk, tie), (2, tie, tie)):
        weight = np.bincount(cell, gone**power / left**2, minlength=len(counts))
        outer = (one * weight[:, None]).T @ other
        curvature -= outer if power != 1 else -(outer + outer.T)
    loss = float(np.log(left).sum() - totals[1:] @ beta)
    hazards = np.divide(counts, at_risk[:, 0], out=np.zeros(len(counts)), where=counts > 0)
    return Partial(loss, totals[1:] - inner[0, 1:], curvature, hazards, int(counts.sum()))
