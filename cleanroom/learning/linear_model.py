"""A fitted linear, logistic or Poisson regression: what it predicts, and its table.

Rule: a value that travels as JSON; predictions take raw columns.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import ModelMismatch
from cleanroom.learning.coefficients import Coefficient, line
from cleanroom.learning.describing import MALFORMED, finite
from cleanroom.learning.facts import Floats
from cleanroom.learning.likelihood import Bernoulli, Gaussian, Poisson
from cleanroom.learning.preparation import Preparation

Kind = Literal["linear", "logistic", "poisson"]
INTERCEPT = "intercept"


@dataclass(frozen=True)
class LinearModel:
    """A regression with an intercept.

    Attributes:
        beta: (1 + used,) the intercept and each used column's, per standard deviation.
        covariance: (1 + used, 1 + used) of beta; NaN under a penalty, which biases it.
        centre, scale: of the target; 0 and 1 unless it is a linear model.
        deviance: of the fit; null_deviance: without features. A linear model's are sums of
            squared residuals.
        rows: that the fit rests on. rounds: Newton steps that it took.
    """

    kind: Kind
    preparation: Preparation
    beta: Floats
    covariance: Floats
    centre: float
    scale: float
    deviance: float
    null_deviance: float
    rows: int
    rounds: int

    @property
    def coefficients(self) -> Mapping[str, float]:
        """Return all in the features' own units; 0 for a column that was left out."""
        found = dict(zip(self._names, map(float, self._to_raw @ self.beta), strict=True))
        found[INTERCEPT] += self.centre
        return found | dict.fromkeys(self.preparation.left_out, 0.0)

    @property
    def explained(self) -> float:
        """Return the share of the deviance that features explain: R squared of a linear model."""
        return 1 - self.deviance / self.null_deviance if self.null_deviance else math.nan

    @property
    def figures(self) -> Mapping[str, float]:
        """Return how well it fits: the mean loss as in each round, and the share explained."""
        loss = self.deviance / self.scale**2 / 2 / max(self.rows, 1)
        return {"loss": loss, "deviance": self.deviance, "explained": self.explained}

    def table(self) -> tuple[Coefficient, ...]:
        """Return every coefficient with standard error, test and confidence interval."""
        raw = self._to_raw
        errors = np.sqrt(np.maximum(np.diag(raw @ self.covariance @ raw.T), 0.0))
        found = self.coefficients
        pairs = zip(self._names, errors, strict=True)
        freedom = self.rows - len(self.beta) if self.kind == "linear" else None
        return tuple(line(name, found[name], float(error), freedom) for name, error in pairs)

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return the expected target of each row: a probability, a rate or a number, (n,).

        Args:
            columns: raw features by name: numbers, codes or the declared text.

        Raises:
            DataMismatch: naming a feature that is absent or has a value that isn't declared.
        """
        raw = self.preparation.raw(columns)
        eta = self.beta[1:] @ self.preparation.standardised(raw) + self.beta[0]
        return _mean(self.kind, eta) * self.scale + self.centre

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        return json.dumps(
            {
                "kind": self.kind,
                "preparation": self.preparation.to_dict(),
                "beta": self.beta.tolist(),
                "covariance": None if np.isnan(self.covariance).any() else self.covariance.tolist(),
                "centre": self.centre,
                "scale": self.scale,
                "deviance": self.deviance,
                "null_deviance": self.null_deviance,
                "rows": self.rows,
                "rounds": self.rounds,
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "LinearModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            given = finite(text)
            return cls._read(given)
        except MALFORMED:
            raise ModelMismatch("not a linear, logistic or Poisson model") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "LinearModel":
        if given["kind"] not in ("linear", "logistic", "poisson"):
            raise ValueError("another kind of model")
        preparation = Preparation.from_dict(given["preparation"])
        p = 1 + len(preparation.used)
        beta = np.asarray(given["beta"], float)
        spread = given["covariance"]
        covariance = np.full((p, p), np.nan) if spread is None else np.asarray(spread, float)
        if beta.shape != (p,) or covariance.shape != (p, p) or not np.isfinite(beta).all():
            raise ValueError("coefficients of another shape than the features")
        names = "centre", "scale", "deviance", "null_deviance"
        centre, scale, deviance, null = (float(given[name]) for name in names)
        return cls(
            given["kind"],
            preparation,
            beta,
            covariance,
            centre,
            scale,
            deviance,
            null,
            int(given["rows"]),
            int(given["rounds"]),
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return (INTERCEPT, *self.preparation.names)

    @property
    def _to_raw(self) -> Floats:
        """Return the matrix from beta to coefficients in the features' own units."""
        used = self.preparation.used
        slopes = self.scale / self.preparation.scales[used]
        found = np.diag(np.append(self.scale, slopes))
        found[0, 1:] = -slopes * self.preparation.centres[used]
        return found


def _mean(kind: Kind, eta: Floats) -> Floats:
    match kind:
        case "linear":
            return Gaussian().mean(eta)
        case "logistic":
            return Bernoulli().mean(eta)
        case "poisson":
            return Poisson(1.0).mean(eta)
