"""Newton's path at the recipient: what the next point is, once sums at the last one are known.

Rule: arithmetic on opened sums, the same for every regression; a fault names columns.
"""

import math
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Floats
from cleanroom.learning.layout import Preparing
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.solve import diverging, inverse

_LATE = 10  # rounds: by then a fit that exists is all but found
_ROUNDING = 1e-9  # of the loss: a rise below is rounding
Checkpoint: TypeAlias = Mapping[str, Floats]


class NewtonSpec(Strict):
    """What all regressions have in common.

    Attributes:
        l2: a penalty of l2 / 2 times the squared coefficients is added to the summed loss, where
            scikit-learn's LogisticRegression has 1 / C. The intercept is free.
        max_rounds: how many Newton steps owners answer.
        tolerance: ends with a step that moves linear predictors by less, in the root mean square.
    """

    l2: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] = 0.0
    max_rounds: Annotated[int, Field(ge=2, le=200)] = 30
    tolerance: Annotated[float, Field(gt=0, le=1e-2)] = 1e-7
    prepare: Preparing = Preparing()


class Path:
    """Where Newton's method stands.

    Attributes:
        beta: at which the next sums are taken.
        null_loss: at the start, without a penalty.
        covariance: the inverse curvature at the last point.
        moved: how far the last step moves linear predictors, in the root mean square.
        round: counts from 1.
    """

    def __init__(
        self, spec: NewtonSpec, preparation: Preparation, beta: Floats, *, steepest: float
    ) -> None:
        """Start.

        Args:
            beta: (free + used,): the used columns' coefficients last, without a penalty before.
            steepest: no coefficient per standard deviation that owners answer may be larger.
        """
        free = len(beta) - len(preparation.used)
        self._spec, self._preparation, self._steepest = spec, preparation, steepest
        self._names = (*["intercept"] * free, *preparation.names)
        self._spans = np.append(np.zeros(free), _spans(preparation))
        self._penalty = spec.l2 * np.append(np.zeros(free), preparation.units) ** 2
        self._best, self._loss = beta, math.inf
        self.beta, self.null_loss, self.moved, self.round = beta, 0.0, math.inf, 1
        self.covariance = np.zeros((len(beta), len(beta)))

    @property
    def is_found(self) -> bool:
        return self.moved <= self._spec.tolerance

    def stay(self) -> None:
        """Ask again at the same point."""
        self.round += 1

    def halve(self) -> None:
        """Go back half the way: the last step went too far."""
        self.round += 1
        self.beta = (self.beta + self._best) / 2

    def take(self, loss: float, gradient: Floats, curvature: Floats, weight: float) -> None:
        """Take the sums at `beta`, and a step from there; or half the last one back.

        Args:
            gradient: (p,) towards a smaller loss. curvature: (p, p).
            weight: of all rows together.

        Raises:
            TrainingImpossible: naming columns that depend on each other, or tell the target
                apart completely.
        """
        penalised = loss + float(self._penalty @ self.beta**2) / 2
        if penalised > self._loss + _ROUNDING * abs(self._loss):
            self.halve()
            return
        if math.isinf(self._loss):
            self.null_loss = loss
        self._loss, self._best = penalised, self.beta
        self.covariance = inverse(curvature + np.diag(self._penalty), self._names)
        slope = gradient - self._penalty * self.beta
        move = self.covariance @ slope
        self.beta = self.beta + move
        self.moved = math.sqrt(max(float(slope @ move / weight), 0.0))
        self.round += 1
        if not self.is_found:
            self._check(move)

    def check_rounds(self) -> None:
        """Check that owners still answer.

        Raises:
            TrainingImpossible: if they have answered max_rounds steps.
        """
        if self.round > self._spec.max_rounds:
            what = f"a fit that isn't found in {self._spec.max_rounds} rounds"
            remedy = "Allow more max_rounds, or give a penalty l2 above 0."
            raise TrainingImpossible(what, remedy=remedy)

    def state(self) -> Checkpoint:
        """Return what `restore` needs."""
        ends = [self._loss, self.null_loss, float(self.round)]
        return {"beta": self.beta, "best": self._best, "state": np.array(ends)}

    def restore(self, state: Checkpoint) -> None:
        self.beta, self._best = state["beta"], state["best"]
        self._loss, self.null_loss, at = map(float, state["state"])
        self.round = round(at)

    def _check(self, move: Floats) -> None:
        steep = np.abs(self.beta) > self._steepest
        steep &= self._spans > 0
        if self.round > _LATE or steep.any():
            diverging(move * self._spans, self._names)
        if steep.any():
            which = ", ".join(np.array(self._names)[steep].tolist())
            what = f"coefficients of more than {self._steepest} per standard deviation: {which}"
            raise TrainingImpossible(what, remedy="Give a penalty l2 above 0.")


def _spans(preparation: Preparation) -> Floats:
    """Return each used column's range, in standard deviations."""
    places = [preparation.places[at] for at in preparation.used]
    columns = [preparation.features[place.feature] for place in places]
    ranges = [
        column.high - column.low if place.is_number else 1.0
        for place, column in zip(places, columns, strict=True)
    ]
    return np.array(ranges) / preparation.scales[preparation.used]
