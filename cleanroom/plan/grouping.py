"""What a group-by computes for each group beyond totals and persons. Values only."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

FitKind: TypeAlias = Literal["logistic", "linear"]
ITERATIONS = 60  # of a fit, if nobody says: by then most differ from the best in the third digit


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


@dataclass(frozen=True, slots=True)
class Scaled:
    """A sum column whose values, low to low + 2^bits - 1, count as -1 to 1."""

    column: str
    low: int
    bits: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression over the rows: sum columns fit_0, its constant, fit_1, ... for each feature.

    They are integers at the scale of `protocols.rep3.regression`; of a logistic one 4/3 of the
    coefficients.

    Attributes:
        target: of a logistic regression 0 or 1 in every row, as it is.
        iterations, l2, least_rows: as in `Descent` there.
    """

    kind: FitKind
    features: tuple[Scaled, ...]
    target: Scaled
    iterations: int
    l2: int
    least_rows: int

    @property
    def results(self) -> tuple[str, ...]:
        return tuple(f"fit_{i}" for i in range(len(self.features) + 1))
