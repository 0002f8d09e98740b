"""A model that was fitted on rows joined in secret: its coefficients, and what they predict."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.plan.grouping import FitKind
from cleanroom.query.fitting import INTERCEPT

if TYPE_CHECKING:
    from cleanroom.recipient.result import Result

_FORMAT = "cleanroom joined model 1"


@dataclass(frozen=True)
class JoinedModel:
    """A regression with an intercept.

    Attributes:
        coefficients: by feature, in its own unit, and of 'intercept'; of TEXT with declared
            values by 'column=value', against the first declared value.
        result: of the session behind it, with its receipt; None of a model that was read.
    """

    kind: FitKind
    coefficients: Mapping[str, float]
    result: "Result | None" = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, kind: FitKind, result: "Result") -> "JoinedModel":
        """Read what a training opened.

        Raises:
            TrainingImpossible: if nothing was opened.
        """
        rows = result.to_arrow().to_pylist()
        if not rows:
            what = "fewer persons than min_group stand behind the joined rows"
            raise TrainingImpossible(what, remedy="Join more rows; nothing was opened.")
        return cls(kind, {row["feature"]: row["coefficient"] for row in rows}, result)

    def predict(self, columns: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Return the expected target of each row, (n,): a probability of a logistic model.

        Args:
            columns: raw features by name.

        Raises:
            DataMismatch: naming a feature that is absent or no number.
        """
        total: NDArray[np.float64] = np.array(self.coefficients[INTERCEPT])
        for name, coefficient in self.coefficients.items():
            if name != INTERCEPT:
                total = total + coefficient * _values(name, columns)
        if self.kind == "linear":
            return total
        with np.errstate(over="ignore"):
            chances: NDArray[np.float64] = 1 / (1 + np.exp(-total))
        return chances

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        whole = {"format": _FORMAT, "kind": self.kind, "coefficients": dict(self.coefficients)}
        return json.dumps(whole, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "JoinedModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            given: dict[str, Any] = json.loads(text)
            kind, found = given["kind"], given["coefficients"]
            coefficients = {str(name): float(value) for name, value in found.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelMismatch("not a model of joined rows") from None
        numbers = INTERCEPT in coefficients and all(map(math.isfinite, coefficients.values()))
        if given.get("format") != _FORMAT or kind not in ("logistic", "linear") or not numbers:
            raise ModelMismatch("not a model of joined rows")
        return cls(kind, coefficients)


def _values(name: str, columns: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    column, _, value = name.partition("=")
    if name not in columns and column in columns:
        same: NDArray[np.bool_] = np.asarray(columns[column]) == value
        return same.astype(np.float64)
    if name not in columns:
        raise DataMismatch(f"no column {name!r}, which the model needs")
    try:
        numbers: NDArray[np.float64] = np.asarray(columns[name]).astype(np.float64)
    except (TypeError, ValueError):
        raise DataMismatch(f"{name}: not numbers") from None
    return numbers
