"""One Newton step of a generalised linear model: the recipient's question, an owner's answer.

Rule: both halves of 'glm.newton', and the bounds that both derive from its numbers.

Security: the recipient learns loss, gradient and curvature summed over all owners' rows, at
coefficients that it chooses. Nothing in a step selects rows, but weights follow from coefficients:
a recipient that departs from Newton's path could choose them steep, so that rows on one side of a
plane hardly weigh, and compare two such sums. Owners therefore refuse coefficients of more than
100 per standard deviation, scales that their own rows contradict, and more steps than the job
allows; that keeps such planes blurred and few. It is no proof: against a recipient that departs
from the protocol, only noise (differential privacy) is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cleanroom.learning.checks import check_answer, numbers
from cleanroom.learning.curvature import sums
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.layout import Preparing, layout
from cleanroom.learning.likelihood import Likelihood
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import SLACK
from cleanroom.learning.step import Block, Step, Sums

NEWTON = "glm.newton"
_STEEPEST_INTERCEPT = 500.0


@dataclass(frozen=True)
class Frame:
    """What stays the same from step to step.

    Attributes:
        rows: of all owners.
        centre, scale: of the target; 0 and 1 unless it is standardised.
    """

    preparation: Preparation
    rows: float
    centre: float
    scale: float

    def numbers(self) -> dict[str, Floats]:
        """Return all as a step carries it."""
        return {
            "rows": np.array(self.rows),
            "target": np.array([self.centre, self.scale]),
            "centres": self.preparation.centres,
            "scales": self.preparation.scales,
            "fills": self.preparation.fills,
        }

    @classmethod
    def read(
        cls, facts: Facts, options: Preparing, steepest: float, step: Step
    ) -> "tuple[Frame, Floats]":
        """Read a step's numbers: the frame, and the coefficients (1 + used,).

        Raises:
            StepRefused: if they aren't those of such a step.
        """
        width = len(layout(facts.features, options))
        scales = step.numbers.get("scales", np.zeros(0))
        shapes: dict[str, tuple[int, ...]] = {
            "rows": (),
            "target": (2,),
            "centres": (width,),
            "scales": (width,),
            "fills": (len(facts.features),),
            "coefficients": (1 + int(np.count_nonzero(scales)),),
        }
        rows, target, centres, scales, fills, coefficients = numbers(step, **shapes)
        if not 1 <= rows <= facts.owners * facts.max_rows or target[1] <= 0 or np.any(scales < 0):
            raise StepRefused(f"{NEWTON} with rows or scales that cannot be")
        if np.any(np.abs(coefficients[1:]) > steepest):
            raise StepRefused(f"{NEWTON} with more than {steepest} per standard deviation")
        if abs(coefficients[0]) > _STEEPEST_INTERCEPT:
            raise StepRefused(f"{NEWTON} with an intercept beyond {_STEEPEST_INTERCEPT}")
        preparation = Preparation(facts.features, options, centres, scales, fills)
        return cls(preparation, float(rows), float(target[0]), float(target[1])), coefficients

    def blocks(self, likelihood: Likelihood, coefficients: Floats) -> tuple[Block, ...]:
        """Return what a step at these coefficients opens.

        The squares of a standardised column add up to `rows` over all owners, so no owner's do
        to more; all bounds follow by Cauchy and Schwarz.
        """
        p, rows = len(coefficients), self.rows * SLACK
        most = likelihood.bounds(float(np.abs(coefficients).sum()))
        return (
            Block("loss", (), rows * most.loss),
            Block("gradient", (p,), rows * most.residual),
            Block("curvature", (p * (p + 1) // 2,), rows * most.weight),
            Block("cut", (), rows),
            Block("rows", (), rows),
        )

    def step(self, likelihood: Likelihood, coefficients: Floats) -> Step:
        """Return the question at these coefficients."""
        given = {**self.numbers(), "coefficients": coefficients}
        return Step(NEWTON, self.blocks(likelihood, coefficients), given)


class Newton:
    """An owner's side: its rows as a matrix that is made once, by the first step."""

    def __init__(self, facts: Facts, options: Preparing, likelihood: Likelihood) -> None:
        self._facts, self._options, self._likelihood = facts, options, likelihood
        self._made: tuple[Frame, Floats, Floats] | None = None

    def answer(self, step: Step, columns: Mapping[str, Floats], y: Floats) -> Sums:
        """Return loss, gradient and curvature of this owner's rows.

        Raises:
            StepRefused: if the frame isn't the one of the steps before, these rows contradict
                it, or the coefficients are too steep.
        """
        frame, coefficients = Frame.read(
            self._facts, self._options, self._likelihood.steepest, step
        )
        check_answer(step, frame.blocks(self._likelihood, coefficients))
        if self._made is None:
            self._made = (frame, *self._matrix(frame, columns, y))
        before, design, target = self._made
        if any(not np.array_equal(a, before.numbers()[n]) for n, a in frame.numbers().items()):
            raise StepRefused(f"{NEWTON} with other means and scales than before")
        return sums(self._likelihood, design, target, coefficients)

    def _matrix(
        self, frame: Frame, columns: Mapping[str, Floats], y: Floats
    ) -> tuple[Floats, Floats]:
        design = frame.preparation.standardised(columns, first=1)
        design[0] = 1.0
        plain = (frame.centre, frame.scale) == (0.0, 1.0)
        target = y if plain else (y - frame.centre) / frame.scale
        squares = np.einsum("ij,ij->i", design, design)
        if not plain:
            squares = np.append(squares, target @ target)
        if squares.max(initial=0.0) > frame.rows * SLACK:
            raise StepRefused(f"{NEWTON} with scales far below these rows' own")
        return design, target
