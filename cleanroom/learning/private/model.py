"""A regression that was trained privately: what it predicts, and what it says of its privacy.

Rule: a value that travels as JSON; predictions take raw columns. It has no standard errors, which
would have to be paid for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import ModelMismatch
from cleanroom.learning.facts import Floats
from cleanroom.learning.likelihood import Bernoulli, Gaussian, Likelihood, Poisson
from cleanroom.learning.preparation import Preparation

Kind = Literal["private_linear", "private_logistic", "private_poisson"]
KINDS: tuple[Kind, ...] = ("private_linear", "private_logistic", "private_poisson")


@dataclass(frozen=True)
class PrivateModel:
    """A regression with an intercept.

    Attributes:
        beta: (1 + columns,) the intercept and each column's, in half ranges of the declared
            bounds.
        centre, scale: of the target; 0 and 1 unless it is a linear model.
        privacy: epsilon, delta, noise and whom they protect, as `spec.card` tells it.
    """

    kind: Kind
    preparation: Preparation
    beta: Floats
    centre: float
    scale: float
    privacy: Mapping[str, Any]

    @property
    def coefficients(self) -> Mapping[str, float]:
        """Return all in the features' own units."""
        used = self.preparation.used
        slopes = self.scale * self.beta[1:] / self.preparation.scales[used]
        intercept = self.centre + self.scale * self.beta[0]
        intercept -= slopes @ self.preparation.centres[used]
        names = ("intercept", *self.preparation.names)
        return dict(zip(names, map(float, (intercept, *slopes)), strict=True))

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return the expected target of each row: a probability, a rate or a number, (n,).

        Raises:
            DataMismatch: naming a feature that is absent or has a value that isn't declared.
        """
        x = self.preparation.standardised(self.preparation.raw(columns))
        return (
            _LIKELIHOODS[self.kind].mean(self.beta[1:] @ x + self.beta[0]) * self.scale
            + self.centre
        )

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        return json.dumps(
            {
                "kind": self.kind,
                "preparation": self.preparation.to_dict(),
                "beta": self.beta.tolist(),
                "centre": self.centre,
                "scale": self.scale,
                "privacy": dict(self.privacy),
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "PrivateModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            return cls._read(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelMismatch("not a privately trained regression") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "PrivateModel":
        if given["kind"] not in KINDS or not isinstance(given["privacy"], dict):
            raise ValueError("another kind of model")
        preparation = Preparation.from_dict(given["preparation"])
        numbers = np.array([given["centre"], given["scale"], *given["beta"]], float)
        if len(numbers) != 3 + len(preparation.used) or not np.isfinite(numbers).all():
            raise ValueError("coefficients of another shape than the features")
        centre, scale = map(float, numbers[:2])
        return cls(given["kind"], preparation, numbers[2:], centre, scale, given["privacy"])


_LIKELIHOODS: Mapping[str, Likelihood] = {
    "private_linear": Gaussian(),
    "private_logistic": Bernoulli(),
    "private_poisson": Poisson(1.0),
}
