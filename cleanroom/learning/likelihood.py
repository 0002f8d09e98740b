"""What a linear predictor says about a target: loss, residual and weight of each row.

Rule: pure functions of vectors. The loss is half the deviance, so that its second derivative is
the weight, and each comes with a bound that holds whatever the rows are.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from cleanroom.learning.facts import Floats

STEEPEST = 100.0  # of coefficients per standard deviation, where weights follow from them
_CUT = 1000.0  # times the largest count: an expectation beyond is a step too far


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of rows whose linear predictors have a root mean square of at most a given reach.

    Attributes:
        loss: the mean over rows is at most this.
        residual: the root mean square over rows is at most this.
        weight: each row's is at most this.
    """

    loss: float
    residual: float
    weight: float


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """A target of 0 and 1, and the logistic link."""

    limit: float = math.inf
    steepest: float = STEEPEST

    def bounds(self, reach: float) -> Bounds:
        return Bounds(math.log(2) + reach, 1.0, 0.25)

    def start(self, mean: float) -> float:
        return math.log(mean / (1 - mean))

    def mean(self, eta: Floats) -> Floats:
        tail = np.exp(-np.abs(eta))
        found: Floats = np.where(eta >= 0, 1.0, tail) / (1 + tail)
        return found

    def pieces(self, eta: Floats, y: Floats) -> tuple[float, Floats, Floats]:
        tail = np.exp(-np.abs(eta))
        share = 1 / (1 + tail)
        loss = np.log1p(tail).sum() + np.maximum(eta, 0).sum() - y @ eta
        mean = np.where(eta >= 0, share, tail * share)
        return float(loss), y - mean, tail * share * share


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts from 0 to `most`, and the logarithm as link."""

    most: float
    steepest: float = STEEPEST

    @property
    def limit(self) -> float:
        return math.log(_CUT * max(self.most, 1.0))

    def bounds(self, reach: float) -> Bounds:
        mean = math.exp(self.limit)
        most = max(self.most, 1.0)
        return Bounds(most * (math.log(most) + self.limit + reach) + mean, most + mean, mean)

    def start(self, mean: float) -> float:
        return math.log(mean)

    def mean(self, eta: Floats) -> Floats:
        return np.exp(eta)

    def pieces(self, eta: Floats, y: Floats) -> tuple[float, Floats, Floats]:
        cut = np.minimum(eta, self.limit)
        mean = np.exp(cut)
        some = y > 0
        saturated = y[some] @ np.log(y[some])
        return float(saturated - y @ cut + mean.sum() - y.sum()), y - mean, mean


@dataclass(frozen=True, slots=True)
class Gaussian:
    """A number in standard deviations around its mean, and no link."""

    limit: float = math.inf
    steepest: float = 1e9

    def bounds(self, reach: float) -> Bounds:
        return Bounds((1 + reach) ** 2 / 2, 1 + reach, 1.0)

    def start(self, mean: float) -> float:
        return mean

    def mean(self, eta: Floats) -> Floats:
        return eta

    def pieces(self, eta: Floats, y: Floats) -> tuple[float, Floats, Floats]:
        residual = y - eta
        return float(residual @ residual) / 2, residual, np.ones(len(y))


Likelihood: TypeAlias = Bernoulli | Poisson | Gaussian
