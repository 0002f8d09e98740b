"""What a group-by computes for each group beyond totals and persons. Values only."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Extreme:
    """MIN or MAX of a bits column over a group, NULLs ignored; NULL if there are only NULLs."""

    name: str
    kind: Literal["min", "max"]
    column: str


@dataclass(frozen=True, slots=True)
class Distinct:
    """A sum column: how many distinct values a bits column has in a group, or their sum.

    NULLs are left out; a value is low + bits, and the result is at most `bound`.
    """

    name: str
    kind: Literal["count", "sum"]
    column: str
    bound: int


@dataclass(frozen=True, slots=True)
class Quantile:
    """A value at a rank among the non-NULL values of a bits column in a group.

    Attributes:
        kind: "at" is the least value up to which numerator / denominator of all values lie: a
            nullable bits column. "middle" is the sum of the lower and the upper median (twice
            the only one if there is one), 0 if there are no values: a sum column.
        weight: sum column: how many values a row stands for, 0 where the value is NULL.
        bound: of a "middle".
    """

    name: str
    kind: Literal["at", "middle"]
    column: str
    weight: str
    numerator: int
    denominator: int
    bound: int
