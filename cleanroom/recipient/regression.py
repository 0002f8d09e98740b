"""Linear regression from exact sums: the coefficients that pooled rows would give.

Rule: one query for X'X, X'y and y'y, and arithmetic on its answer. It runs, and is ruled on, like
any other: nothing but these sums is opened. They need the right `sum` on each number, and
`filter` on columns of declared values, on BOOLEAN, and on those that may be NULL.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnknownName, UnsupportedQuery
from cleanroom.recipient.regressors import Regressor, products, quoted, regressors

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.result import Result

MAX_FEATURES = 30
INTERCEPT = "intercept"
Vector: TypeAlias = list[Fraction]
Matrix: TypeAlias = list[Vector]


@dataclass(frozen=True, slots=True)
class Regression:
    """An ordinary least squares fit with an intercept.

    Attributes:
        coefficients: by feature, and of 'intercept'; of TEXT with declared values by
            'column=value', against the first declared value.
        standard_errors: of the same; NaN without a degree of freedom.
        r_squared: NaN where the target doesn't vary.
        rows: with values in all columns; others are left out.
        result: of the query behind it, with its receipt.
    """

    coefficients: Mapping[str, float]
    standard_errors: Mapping[str, float]
    r_squared: float
    rows: int
    result: "Result"

    @property
    def t(self) -> Mapping[str, float]:
        """Each coefficient over its standard error; infinite where the fit is perfect."""
        errors = self.standard_errors
        return {name: _ratio(value, errors[name]) for name, value in self.coefficients.items()}

    def to_pandas(self) -> "pd.DataFrame":
        """Return coefficient, standard_error and t of each feature."""
        import pandas as pd

        columns = self.coefficients, self.standard_errors, self.t
        names = "coefficient", "standard_error", "t"
        return pd.DataFrame({n: dict(c) for n, c in zip(names, columns, strict=True)})


@dataclass(frozen=True, slots=True)
class Model:
    """What is asked: `columns`, of which the last is a linear function of the others."""

    table: str
    columns: tuple[Regressor, ...]
    nullable: tuple[str, ...]

    @classmethod
    def of(cls, terms: Terms, table: str, target: str, features: Sequence[str]) -> "Model":
        """Look the columns up.

        Raises:
            UnknownName, UnsupportedQuery: naming what isn't there, or is no number.
        """
        if table not in terms.tables:
            raise UnknownName(f"no table {table[:64]!r}", remedy="See `room.tables()`.")
        if isinstance(features, str):
            raise UnsupportedQuery("features are a list of columns", remedy=f"[{features!r}]")
        if any(rule.split()[0] in ("redact", "round_to") for rule in terms.privacy.tested):
            what = "a regression where counts are rounded: it needs the exact number of rows"
            raise UnsupportedQuery(what)
        declared, names = terms.tables[table].columns, (*features, target)
        for name in names:
            if name not in declared:
                raise UnknownName(f"no column {name[:64]!r} in {table}")
        if len(set(names)) != len(names):
            raise UnsupportedQuery("a regression that names a column twice")
        found = tuple(r for name in features for r in regressors(name, declared[name]))
        if not 0 < len(found) <= MAX_FEATURES:
            what = f"a regression on {len(found)} features, other than 1 to {MAX_FEATURES} features"
            remedy = "Name fewer; each declared value of TEXT but the first counts as one."
            raise UnsupportedQuery(what, remedy=remedy)
        if declared[target].sql_type.kind == "TEXT":
            raise UnsupportedQuery(f"a regression of {target}, which is no number")
        (wanted,) = regressors(target, declared[target])
        nullable = tuple(name for name in names if declared[name].nullable)
        return cls(table, (*found, wanted), nullable)

    def sql(self, where: str | None) -> str:
        """Write the query for all sums, over rows in which no column is NULL."""
        sums = [f"SUM({one.sql})" for one in self.columns]
        for i, j in products(self.columns):
            sums.append(f"SUM({self.columns[i].sql} * {self.columns[j].sql})")
        known = [f"{quoted(name)} IS NOT NULL" for name in self.nullable]
        conditions = [*known, *([f"({where})"] if where is not None else [])]
        chosen = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        table = ".".join(map(quoted, self.table.split(".")))
        return f"SELECT COUNT(*), {', '.join(sums)} FROM {table}{chosen}"  # noqa: S608

    def overflow(self, error: OverflowPossible) -> OverflowPossible:
        """Say of what a sum may be too large, and what helps."""
        *features, target = dict.fromkeys(one.column for one in self.columns)
        what = f"a regression of {target} on {', '.join(features)}: {error.message}"
        remedy = (
            "Declare tighter bounds, fewer decimals or fewer max_rows for the largest of these "
            "columns, or leave it out."
        )
        return OverflowPossible(what, remedy=remedy)

    def fitted(self, result: "Result") -> Regression:
        """Solve the normal equations, exactly.

        Raises:
            UnsupportedQuery: if the sums were withheld, or no one solution exists.
        """
        answer = result.to_arrow().to_pylist()
        if not answer:
            what = "a regression of which a sum rests on too few persons: it was withheld"
            raise UnsupportedQuery(what, remedy="Ask for more rows, or leave out rare values.")
        moments = self._moments([Fraction(value or 0) for value in answer[0].values()])
        k, rows = len(self.columns), int(moments[0][0])
        if rows < k:
            what = f"a regression of {k} coefficients on {rows} rows"
            raise UnsupportedQuery(what, remedy="Ask for more rows, or name fewer features.")
        inverse = _inverse([line[:k] for line in moments[:k]])
        wanted = [line[k] for line in moments[:k]]
        found = [_dot(line, wanted) for line in inverse]
        residual = moments[k][k] - _dot(found, wanted)
        around = moments[k][k] - moments[0][k] ** 2 / rows
        variance = residual / (rows - k) if rows > k else None
        spread = [_error(inverse, one, variance) for one in self._combinations()]
        found[0] = _dot(self._combinations()[0], found) + self.columns[-1].middle
        names = (INTERCEPT, *(one.name for one in self.columns[:-1]))
        return Regression(
            dict(zip(names, map(float, found), strict=True)),
            dict(zip(names, spread, strict=True)),
            float(1 - residual / around) if around else math.nan,
            rows,
            result,
        )

    def _moments(self, numbers: Vector) -> Matrix:
        """Put the sums into the symmetric matrix of (1, features, target)."""
        width = 1 + len(self.columns)
        found = [[Fraction(0)] * width for _ in range(width)]
        sums, rest = numbers[:width], iter(numbers[width:])
        found[0] = sums
        for i, one in enumerate(self.columns, start=1):
            found[i][0] = sums[i]
            found[i][i] = sums[i] if one.is_indicator else found[i][i]
        for i, j in products(self.columns):
            found[i + 1][j + 1] = found[j + 1][i + 1] = next(rest)
        return found

    def _combinations(self) -> Matrix:
        """Return how coefficients follow from those around the middles: the intercept moves."""
        k = len(self.columns)
        found = [[Fraction(i == j) for j in range(k)] for i in range(k)]
        found[0][1:] = [Fraction(-one.middle) for one in self.columns[:-1]]
        return found


def _error(inverse: Matrix, combination: Vector, variance: Fraction | None) -> float:
    """Return the standard error of a combination of coefficients."""
    if variance is None:
        return math.nan
    return math.sqrt(variance * _dot(combination, [_dot(line, combination) for line in inverse]))


def _ratio(value: float, error: float) -> float:
    if error:
        return value / error
    return math.copysign(math.inf, value) if value else math.nan


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


def _dot(a: Vector, b: Vector) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
