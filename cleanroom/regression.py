"""Linear regression from exact sums: the coefficients that pooled rows would give.

Rule: one query for X'X, X'y and y'y, and arithmetic on its answer. It runs, and is ruled on, like
any other: nothing but these sums is opened, and they need the right `sum` on each column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName, UnsupportedQuery

if TYPE_CHECKING:
    from cleanroom.client import Result

MAX_FEATURES = 30
_NAN = float("nan")
Matrix: TypeAlias = list[list[Fraction]]


@dataclass(frozen=True, slots=True)
class Regression:
    """An ordinary least squares fit with an intercept.

    Attributes:
        coefficients: by feature, and of 'intercept'.
        standard_errors: of the same; NaN without a degree of freedom.
        r_squared: NaN where the target doesn't vary.
        rows: with values in all columns.
        result: of the query behind it, with its receipt.
    """

    coefficients: Mapping[str, float]
    standard_errors: Mapping[str, float]
    r_squared: float
    rows: int
    result: "Result"


@dataclass(frozen=True, slots=True)
class Model:
    """What is asked: `target` as a linear function of `features`."""

    table: str
    target: str
    features: tuple[str, ...]

    def check(self, terms: Terms) -> None:
        """Check that the columns exist.

        Raises:
            UnknownName, UnsupportedQuery: naming what doesn't.
        """
        if self.table not in terms.tables:
            raise UnknownName(f"no table {self.table!r}", remedy="See `room.tables()`.")
        columns = terms.tables[self.table].columns
        for name in (self.target, *self.features):
            if name not in columns:
                raise UnknownName(f"no column {name!r} in {self.table}")
        if len({self.target, *self.features}) != 1 + len(self.features):
            raise UnsupportedQuery("a regression that names a column twice")
        if not 0 < len(self.features) <= MAX_FEATURES:
            raise UnsupportedQuery(f"a regression on other than 1 to {MAX_FEATURES} features")

    def sql(self, terms: Terms, where: str | None) -> str:
        """Write the query for all sums, over rows in which no column is NULL."""
        columns = terms.tables[self.table].columns
        names = (*self.features, self.target)
        sums = [f"SUM({_quoted(name)})" for name in names]
        for i, name in enumerate(names):
            sums += [f"SUM({_quoted(name)} * {_quoted(other)})" for other in names[i:]]
        known = [f"{_quoted(name)} IS NOT NULL" for name in names if columns[name].nullable]
        conditions = [*known, *([f"({where})"] if where is not None else [])]
        chosen = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        table = ".".join(map(_quoted, self.table.split(".")))
        return f"SELECT COUNT(*), {', '.join(sums)} FROM {table}{chosen}"  # noqa: S608

    def fitted(self, result: "Result") -> Regression:
        """Solve the normal equations, exactly.

        Raises:
            UnsupportedQuery: if no one solution exists.
        """
        (row,) = result.to_arrow().to_pylist()
        numbers = [Fraction(0 if value is None else value) for value in row.values()]
        moments = _moments(numbers, 2 + len(self.features))
        rows, k = int(numbers[0]), 1 + len(self.features)
        inverse = _inverse([line[:k] for line in moments[:k]])
        wanted = [line[k] for line in moments[:k]]
        found = [_dot(line, wanted) for line in inverse]
        residual = moments[k][k] - _dot(found, wanted)
        around = moments[k][k] - moments[0][k] ** 2 / rows
        names = ("intercept", *self.features)
        free = rows - k
        errors = [float(residual / free * inverse[i][i]) ** 0.5 if free else _NAN for i in range(k)]
        return Regression(
            dict(zip(names, map(float, found), strict=True)),
            dict(zip(names, errors, strict=True)),
            float(1 - residual / around) if around else _NAN,
            rows,
            result,
        )


def _moments(numbers: Sequence[Fraction], width: int) -> Matrix:
    """Put the sums, which come row by row, into the symmetric matrix of (1, features, target)."""
    found = [[Fraction(0)] * width for _ in range(width)]
    values = iter(numbers)
    for i in range(width):
        for j in range(i, width):
            found[i][j] = found[j][i] = next(values)
    return found


def _inverse(matrix: Matrix) -> Matrix:
    """Invert by Gauss and Jordan; fractions lose nothing, so any pivot that isn't zero will do."""
    n = len(matrix)
    wide = [[*line, *(Fraction(i == j) for j in range(n))] for i, line in enumerate(matrix)]
    for i in range(n):
        pivot = next((j for j in range(i, n) if wide[j][i]), None)
        if pivot is None:
            what = "a regression whose features depend on each other in these rows"
            raise UnsupportedQuery(what, remedy="Leave out a feature, or ask for more rows.")
        wide[i], wide[pivot] = wide[pivot], wide[i]
        wide[i] = [value / wide[i][i] for value in wide[i]]
        for j in range(n):
            if j != i and wide[j][i]:
                factor = wide[j][i]
                wide[j] = [a - factor * b for a, b in zip(wide[j], wide[i], strict=True)]
    return [line[n:] for line in wide]


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _quoted(name: str) -> str:
    return f'"{name}"'
