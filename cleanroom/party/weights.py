"""A member's own models: read from JSON, checked against the contract, as exact integers.

Rule: the only code that reads a model's file, which is data and never code. What differs from the
contract is refused, and the message names file, feature and rule, never a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract.fields import first_fault
from cleanroom.contract.models import ModelTerms
from cleanroom.contract.terms import Terms
from cleanroom.errors import ModelMismatch
from protocols.he.parameters import SCORE

MAX_BYTES = 1 << 20
_Number = Annotated[float, Field(allow_inf_nan=False)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    weights: Annotated[dict[str, _Number], Field(max_length=1024)]
    intercept: _Number


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear model over integer features, in units of the plan's linear scores. Not shown."""

    units: tuple[int, ...] = field(repr=False)
    intercept: int = field(repr=False)


def load_models(terms: Terms, member: str, files: Mapping[str, Path]) -> dict[str, Weights]:
    """Read a member's models.

    Raises:
        ModelMismatch: if a model is missing or differs from the contract.
    """
    expected = set(terms.models_of(member))
    for name in sorted(expected ^ set(files)):
        what = "has no file" if name in expected else "is not in the contract"
        raise ModelMismatch(f"model {name} {what}", party=member)
    return {name: _load(terms.models[name], name, files[name], member) for name in sorted(files)}


def _load(terms: ModelTerms, name: str, path: Path, member: str) -> Weights:
    try:
        with path.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
        file = _File.model_validate_json(text if len(text) <= MAX_BYTES else b"")
    except OSError as error:
        what = f"cannot be read from {path}: {type(error).__name__}"
        raise ModelMismatch(f"model {name} {what}", party=member) from None
    except ValidationError as error:
        what = f"{path} is no model: {first_fault(error)}"
        raise ModelMismatch(f"model {name}: {what}", party=member) from None
    for fault in _faults(terms, file):
        raise ModelMismatch(f"model {name}: {path}: {fault}", party=member)
    return _in_units(terms, file)


def _faults(terms: ModelTerms, file: _File) -> Iterator[str]:
    for feature in terms.features:
        if feature not in file.weights:
            yield f"weights.{feature}: missing"
    for feature, weight in file.weights.items():
        if feature not in terms.features:
            yield f"weights.{feature}: the contract declares no such feature"
        elif abs(_exact(weight)) > terms.max_weight:
            yield f"weights.{feature}: beyond max_weight"
    if abs(_exact(file.intercept)) > terms.max_weight:
        yield "intercept: beyond max_weight"
    elif file.weights.keys() == terms.features.keys() and not _fits(terms, file):
        what = f"a score within the bounds may need more than {SCORE.plain_bits - 1} bits"
        yield f"{what}; declare fewer decimals"


def _fits(terms: ModelTerms, file: _File) -> bool:
    weights, features = _in_units(terms, file), terms.features.values()
    reach = sum(abs(w) * f.reach for w, f in zip(weights.units, features, strict=True))
    return reach + abs(weights.intercept) <= SCORE.most_total


def _in_units(terms: ModelTerms, file: _File) -> Weights:
    places = terms.weight_decimals
    units = tuple(
        _rounded(file.weights[name], places) * 10 ** (terms.decimals - feature.decimals)
        for name, feature in terms.features.items()
    )
    return Weights(units, _rounded(file.intercept, places) * 10**terms.decimals)


def _rounded(value: float, decimals: int) -> int:
    return int(_exact(value).scaleb(decimals).to_integral_value())


def _exact(value: float) -> Decimal:
    """Return the number that was written: the shortest one that this float stands for."""
    return Decimal(str(value))
