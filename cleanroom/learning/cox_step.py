"""One Newton step of a Cox regression: the recipient's question, an owner's answer.

Rule: both halves of 'cox.risks', and the bounds that both derive from its numbers.

Security: the recipient learns, for each time at which events happen, sums over the rows that leave
between it and the next: of hazards, and of columns and products of columns weighted with them. A
cell that a single row leaves in tells that row's columns. So a job's `least` puts cells together
until so many rows leave in each, at the price of more ties; whether it is enough is for the owners
to decide when they agree on the job. A recipient that alters its software could claim more rows in
a cell than there are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.checks import check_answer, numbers
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.layout import Preparing, layout
from cleanroom.learning.likelihood import STEEPEST
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import SLACK
from cleanroom.learning.risk import Ordered
from cleanroom.learning.step import Block, Step, Sums
from cleanroom.learning.times import Cells, Grid

RISKS = "cox.risks"
MOST_LIMIT = 40.0


@dataclass(frozen=True)
class RiskFrame:
    """What stays the same from step to step; `rows` are of all owners."""

    preparation: Preparation
    rows: float
    cells: Cells

    def numbers(self) -> dict[str, Floats]:
        """Return all as a step carries it."""
        return {
            "rows": np.array(self.rows),
            "centres": self.preparation.centres,
            "scales": self.preparation.scales,
            "fills": self.preparation.fills,
            **self.cells.numbers(),
        }

    @classmethod
    def read(
        cls, facts: Facts, options: Preparing, grid: Grid, step: Step
    ) -> "tuple[RiskFrame, Floats, float]":
        """Read a step's numbers: the frame, the coefficients (used,), the limit of predictors.

        Raises:
            StepRefused: if they aren't those of such a step.
        """
        width = len(layout(facts.features, options))
        count = step.numbers.get("places", np.zeros(0)).size
        used = int(np.count_nonzero(step.numbers.get("scales", np.zeros(0))))
        shapes: dict[str, tuple[int, ...]] = {
            "rows": (),
            "centres": (width,),
            "scales": (width,),
            "fills": (len(facts.features),),
            "places": (count,),
            "at": (count,),
            "events": (count,),
            "coefficients": (used,),
            "limit": (),
        }
        rows, centres, scales, fills, places, at, events, beta, limit = numbers(step, **shapes)
        cells = Cells.read(grid, places, at, events)
        if not cells.rows.sum() <= rows <= facts.owners * facts.max_rows or np.any(scales < 0):
            raise StepRefused(f"{RISKS} with rows or scales that cannot be")
        if np.any(np.abs(beta) > STEEPEST) or not 0 < limit <= MOST_LIMIT:
            raise StepRefused(f"{RISKS} with more than {STEEPEST} per standard deviation")
        preparation = Preparation(facts.features, options, centres, scales, fills)
        return cls(preparation, float(rows), cells), beta, float(limit)

    @property
    def tied(self) -> NDArray[np.intp]:
        """Return the cells with more than one event."""
        return np.flatnonzero(self.cells.events > 1)

    def blocks(self, limit: float) -> tuple[Block, ...]:
        """Return what a step opens: sums in the units below, so one bound holds for all."""
        p, most = 1 + len(self.preparation.used), float(np.exp(limit))
        count, tied, products = len(self.cells.places), len(self.tied), p * (p + 1) // 2
        blocks = [Block("risks", (count, products), most)]
        if tied:
            blocks.append(Block("tied", (tied, products), most))
        rows = self.rows * SLACK
        others = ("events", (count,)), ("totals", (p,)), ("cut", ()), ("rows", ())
        return (*blocks, *(Block(name, shape, rows) for name, shape in others))

    def units(self) -> Floats:
        """Return the most that products add up to in each cell, but for the hazard's factor.

        A column's squares add up to `rows` over all cells and owners, and no value lies further
        from the mean than the declared bounds allow.
        """
        reach = np.append(1.0, self.preparation.reach)
        upper = np.triu_indices(len(reach))
        products = np.outer(reach, reach)[upper]
        most: Floats = np.minimum(np.outer(self.cells.rows, products), self.rows)
        return most * SLACK

    def step(self, beta: Floats, limit: float) -> Step:
        """Return the question at these coefficients."""
        given = {**self.numbers(), "coefficients": beta, "limit": np.array(limit)}
        return Step(RISKS, self.blocks(limit), given)


class Risks:
    """An owner's side: its rows in cells, which the first step makes once."""

    def __init__(self, facts: Facts, options: Preparing, grid: Grid, least: int) -> None:
        self._facts, self._options, self._grid, self._least = facts, options, grid, least
        self._made: tuple[RiskFrame, Ordered] | None = None

    def answer(self, step: Step, columns: dict[str, Floats], times: Floats, events: Floats) -> Sums:
        """Return this owner's sums of hazards and products by cell.

        Raises:
            StepRefused: if the frame isn't the one of the steps before, these rows contradict
                it, or the coefficients are too steep.
        """
        frame, beta, limit = RiskFrame.read(self._facts, self._options, self._grid, step)
        check_answer(step, frame.blocks(limit))
        if frame.cells.rows.min() < self._least:
            raise StepRefused(f"{RISKS} with cells of fewer than {self._least} rows")
        if self._made is None:
            self._made = (frame, self._ordered(frame, columns, times, events))
        before, ordered = self._made
        if any(not np.array_equal(a, before.numbers()[n]) for n, a in frame.numbers().items()):
            raise StepRefused(f"{RISKS} with other means, scales or cells than before")
        units, tied = frame.units(), frame.tied
        risks, apart, cut = ordered.sums(beta, limit, tied)
        found = {"risks": risks / units, "tied": apart / units[tied]}
        found |= {"totals": ordered.event_totals(), "events": ordered.events.astype(float)}
        found |= {"cut": np.array(float(cut)), "rows": np.array(float(len(times)))}
        return {block.name: found[block.name] for block in step.answer}

    def _ordered(
        self, frame: RiskFrame, columns: dict[str, Floats], times: Floats, events: Floats
    ) -> Ordered:
        design = frame.preparation.standardised(columns, first=1)
        design[0] = 1.0
        if np.einsum("ij,ij->i", design, design).max() > frame.rows * SLACK:
            raise StepRefused(f"{RISKS} with scales far below these rows' own")
        count = len(frame.cells.places)
        cells = frame.cells.of(self._grid.places(times))
        if np.any(np.bincount(cells[cells >= 0], minlength=count) > frame.cells.rows):
            raise StepRefused(f"{RISKS} with fewer rows in a cell than these")
        return Ordered.of(design, cells, events, count)
