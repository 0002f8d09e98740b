"""A fitted Cox regression: hazards, survival, and its table.

Rule: a value that travels as JSON; predictions take raw columns.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import ModelMismatch
from cleanroom.learning.coefficients import Coefficient, line
from cleanroom.learning.describing import MALFORMED, finite
from cleanroom.learning.facts import Floats
from cleanroom.learning.preparation import Preparation


@dataclass(frozen=True)
class CoxModel:
    """A proportional hazards regression.

    Attributes:
        beta: (used,) each used column's, per standard deviation.
        covariance: (used, used) of beta; NaN under a penalty, which biases it.
        times, hazards: (cells,) when events happen, and the baseline's hazard at each: of a row
            whose columns are all at their means.
        log_likelihood: the partial one; null_log_likelihood: without features.
        rows, events: that the fit rests on. rounds: Newton steps that it took.
    """

    preparation: Preparation
    beta: Floats
    covariance: Floats
    times: Floats
    hazards: Floats
    log_likelihood: float
    null_log_likelihood: float
    rows: int
    events: int
    rounds: int
    kind: str = "cox"

    @property
    def coefficients(self) -> Mapping[str, float]:
        """Return log hazard ratios in the features' own units; 0 for a column left out."""
        names, scales = self.preparation.names, self.preparation.scales[self.preparation.used]
        found = dict(zip(names, (self.beta / scales).tolist(), strict=True))
        return found | dict.fromkeys(self.preparation.left_out, 0.0)

    @property
    def figures(self) -> Mapping[str, float]:
        """Return how well it fits: the mean loss as in each round, and the likelihood."""
        loss = -self.log_likelihood / max(self.rows, 1)
        return {"loss": loss, "log_likelihood": self.log_likelihood}

    def table(self) -> tuple[Coefficient, ...]:
        """Return every log hazard ratio with standard error, test and confidence interval."""
        scales = self.preparation.scales[self.preparation.used]
        errors = np.sqrt(np.maximum(np.diag(self.covariance), 0.0)) / scales
        pairs = zip(self.preparation.names, self.beta / scales, errors, strict=True)
        return tuple(line(name, float(value), float(error)) for name, value, error in pairs)

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return each row's hazard over the baseline's, (n,): the higher, the sooner the event.

        Args:
            columns: raw features by name: numbers, codes or the declared text.

        Raises:
            DataMismatch: naming a feature that is absent or has a value that isn't declared.
        """
        raw = self.preparation.raw(columns)
        hazards: Floats = np.exp(self.beta @ self.preparation.standardised(raw))
        return hazards

    def survival(self, columns: Mapping[str, ArrayLike], times: ArrayLike) -> Floats:
        """Return each row's chance to have no event up to and at each time, (n, times)."""
        reached = np.searchsorted(self.times, np.asarray(times, float), "right")
        total = np.append(0.0, np.cumsum(self.hazards))[reached]
        chances: Floats = np.exp(-np.outer(self.predict(columns), total))
        return chances

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        spread = None if np.isnan(self.covariance).any() else self.covariance.tolist()
        return json.dumps(
            {
                "kind": self.kind,
                "preparation": self.preparation.to_dict(),
                "beta": self.beta.tolist(),
                "covariance": spread,
                "times": self.times.tolist(),
                "hazards": self.hazards.tolist(),
                "log_likelihood": self.log_likelihood,
                "null_log_likelihood": self.null_log_likelihood,
                "rows": self.rows,
                "events": self.events,
                "rounds": self.rounds,
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "CoxModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            return cls._read(finite(text))
        except MALFORMED:
            raise ModelMismatch("not a Cox model") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "CoxModel":
        if given["kind"] != "cox":
            raise ValueError("another kind of model")
        preparation = Preparation.from_dict(given["preparation"])
        p, spread = len(preparation.used), given["covariance"]
        beta, times, hazards = (np.asarray(given[n], float) for n in ("beta", "times", "hazards"))
        covariance = np.full((p, p), np.nan) if spread is None else np.asarray(spread, float)
        if beta.shape != (p,) or covariance.shape != (p, p) or times.shape != hazards.shape:
            raise ValueError("coefficients of another shape than the features")
        if not all(np.isfinite(array).all() for array in (beta, times, hazards)):
            raise ValueError("numbers that are not finite")
        likelihoods = float(given["log_likelihood"]), float(given["null_log_likelihood"])
        rows, events, rounds = (int(given[name]) for name in ("rows", "events", "rounds"))
        return cls(
            preparation, beta, covariance, times, hazards, *likelihoods, rows, events, rounds
        )
