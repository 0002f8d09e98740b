"""Prepared rows of trainings without a target: what a step says of them, an owner's matrix.

Rule: means and scales travel with every step, so that a training can go on with owners that
started anew; an owner refuses others than it was first asked with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cleanroom.learning.checks import numbers
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.layout import Preparing, layout
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import SLACK
from cleanroom.learning.step import Step


@dataclass(frozen=True)
class Standing:
    """What stays the same from step to step; `rows` are of all owners."""

    preparation: Preparation
    rows: float

    def numbers(self) -> dict[str, Floats]:
        """Return all as a step carries it."""
        return {
            "rows": np.array(self.rows),
            "centres": self.preparation.centres,
            "scales": self.preparation.scales,
            "fills": self.preparation.fills,
        }

    @classmethod
    def resumed(
        cls, facts: Facts, options: Preparing, checkpoint: Mapping[str, Floats]
    ) -> "Standing":
        ends = (checkpoint[name] for name in ("centres", "scales", "fills"))
        return cls(Preparation(facts.features, options, *ends), float(checkpoint["rows"]))


class OwnMatrix:
    """An owner's rows as standardised columns, which the first step makes once."""

    def __init__(self, facts: Facts, options: Preparing, columns: Mapping[str, Floats]) -> None:
        self._facts, self._options, self._columns = facts, options, columns
        self._made: tuple[Standing, Floats] | None = None

    def of(self, step: Step, **shapes: tuple[int, ...]) -> tuple[Standing, Floats, list[Floats]]:
        """Return the frame, the matrix (used, n), and the step's further numbers.

        Args:
            shapes: of the further numbers; -1 stands for as many as there are used columns.

        Raises:
            StepRefused: if the numbers aren't those of such a step, or of the steps before, or
                these rows contradict them.
        """
        width = len(layout(self._facts.features, self._options))
        used = int(np.count_nonzero(step.numbers.get("scales", np.zeros(0))))
        further = {n: tuple(used if k < 0 else k for k in shape) for n, shape in shapes.items()}
        standing: dict[str, tuple[int, ...]] = {"rows": (), "centres": (width,), "scales": (width,)}
        standing["fills"] = (len(self._facts.features),)
        rows, centres, scales, fills, *rest = numbers(step, **standing, **further)
        if not 1 <= rows <= self._facts.owners * self._facts.max_rows or np.any(scales < 0):
            raise StepRefused(f"{step.name} with rows or scales that cannot be")
        preparation = Preparation(self._facts.features, self._options, centres, scales, fills)
        frame = Standing(preparation, float(rows))
        if self._made is None:
            matrix = preparation.standardised(self._columns)
            if np.einsum("ij,ij->i", matrix, matrix).max(initial=0.0) > rows * SLACK:
                raise StepRefused(f"{step.name} with scales far below these rows' own")
            self._made = frame, matrix
        before, matrix = self._made
        if any(not np.array_equal(a, before.numbers()[n]) for n, a in frame.numbers().items()):
            raise StepRefused(f"{step.name} with other means and scales than before")
        return frame, matrix, rest
