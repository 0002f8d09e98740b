"""What all members sign about a model that one of them holds: its form, never its weights.

Rule: numbers here are decimal and exact. They fix the integers that are computed on, so that a
score is the same whoever computes it, and prove before anything is encrypted that none wraps.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.types import Kind

if TYPE_CHECKING:
    from cleanroom.contract.columns import ColumnTerms, TableTerms

NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN)
MOST = 10**15
Number = Annotated[Decimal, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Decimals = Annotated[int, Field(ge=0, le=15, strict=True)]
Rows = Annotated[int, Field(ge=1, le=1 << 20, strict=True)]


class FeatureTerms(Strict):
    """One number that a model weighs: a column of the same name.

    Attributes:
        bounds: smallest and largest value.
        decimals: places after the point.
        null: the value that stands for NULL; without one, columns with NULLs aren't scored.
    """

    bounds: tuple[Number, Number]
    decimals: Decimals = 0
    null: Number | None = None

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value in units of its last place."""
        low, high = (int(bound.scaleb(self.decimals)) for bound in self.bounds)
        return low, high

    @property
    def reach(self) -> int:
        """The most that a value can be, either sign, in units of its last place."""
        low, high = self.range
        return max(abs(low), abs(high))

    @property
    def null_units(self) -> int | None:
        """What stands for NULL, in units of the last place."""
        return None if self.null is None else int(self.null.scaleb(self.decimals))

    def check_column(self, column: "ColumnTerms") -> None:
        """Check that a column holds numbers within the bounds alone, whatever they are.

        Raises:
            ValueError: saying what doesn't hold.
        """
        if column.sql_type.kind not in NUMBERS:
            raise ValueError("is no number")
        if column.sql_type.scale > self.decimals:
            raise ValueError(f"has {column.sql_type.scale} decimals, the feature {self.decimals}")
        units = 10 ** (self.decimals - column.sql_type.scale)
        if column.range[0] * units < self.range[0] or column.range[1] * units > self.range[1]:
            raise ValueError("may hold values beyond the feature's bounds")
        if column.nullable and self.null is None:
            raise ValueError("may be NULL; declare what stands for it, as the feature's 'null'")

    @model_validator(mode="after")
    def _exact(self) -> Self:
        for number in (*self.bounds, *(() if self.null is None else (self.null,))):
            units = number.scaleb(self.decimals)
            if units != units.to_integral_value() or abs(units) > MOST:
                raise ValueError(f"a number has more than {self.decimals} decimals or 15 digits")
        if self.bounds[0] > self.bounds[1]:
            raise ValueError("bounds must ascend")
        if self.null is not None and not self.bounds[0] <= self.null <= self.bounds[1]:
            raise ValueError("null: lies beyond the bounds")
        return self


class ModelTerms(Strict):
    """A linear or logistic model, named 'member.model' after the member that holds its weights.

    Attributes:
        features: in the order in which they are encrypted.
        weight_decimals: places to which weights and intercept are rounded before use.
        max_weight: the most that a weight or the intercept may be, either sign.
        score_decimals: places to which scores are rounded.
        max_rows: of one session; max_rows_per_day: of one member's sessions on one day (UTC).
        scores: who may score which of its own tables. Nobody else may.
    """

    kind: Literal["linear", "logistic"]
    features: Annotated[Mapping[Name, FeatureTerms], Field(min_length=1, max_length=256)]
    weight_decimals: Decimals = 6
    max_weight: Annotated[Decimal, Field(gt=0, le=10**9, allow_inf_nan=False)]
    score_decimals: Decimals = 4
    max_rows: Rows
    max_rows_per_day: Annotated[int, Field(ge=1, le=1 << 40, strict=True)]
    scores: Mapping[Name, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def decimals(self) -> int:
        """Places of the finest feature: a score is in units of these and the weights' places."""
        return max(feature.decimals for feature in self.features.values())

    def check_table(self, name: str, table: "TableTerms") -> None:
        """Check that a table has a column for each feature, and holds nothing beyond its bounds.

        Raises:
            ValueError: naming the column that doesn't fit.
        """
        if table.person == "score":
            raise ValueError(f"the person column of {name} has the name of the scores")
        for feature, terms in self.features.items():
            if feature not in table.columns:
                raise ValueError(f"{name} has no column {feature!r}")
            try:
                terms.check_column(table.columns[feature])
            except ValueError as error:
                raise ValueError(f"{name}.{feature} {error}") from None

    @model_validator(mode="after")
    def _rows(self) -> Self:
        if self.max_rows > self.max_rows_per_day:
            raise ValueError("max_rows: more than max_rows_per_day")
        return self
