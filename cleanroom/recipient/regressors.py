"""Columns as a regression counts with them: numbers around a public middle, values as indicators.

Rule: what follows from the contract, and the SQL for it. A number stands for its distance from
the middle of its declared bounds, so that sums of products stay small; they are exact either way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cleanroom.contract.columns import ColumnTerms
from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery


@dataclass(frozen=True, slots=True)
class Regressor:
    """One column of X, or y.

    Attributes:
        column: of the table.
        middle: what `sql` was made smaller by.
        is_indicator: whether it is 1 where a condition holds, and 0 elsewhere.
    """

    name: str
    column: str
    sql: str
    middle: int = 0
    is_indicator: bool = False

    def excludes(self, other: "Regressor") -> bool:
        """Whether no row has both: two values of one column."""
        return self.is_indicator and self.column == other.column and self != other


def regressors(column: str, terms: ColumnTerms) -> Iterator[Regressor]:
    """Yield a column as numbers: declared values each but the first as 1 or 0, others as one.

    Raises:
        UnsupportedQuery: naming a column that is no number.
    """
    match terms.sql_type.kind:
        case Kind.INTEGER | Kind.DECIMAL:
            yield _number(column, terms)
        case Kind.BOOLEAN:
            yield _indicator(column, column, quoted(column))
        case Kind.TEXT if terms.values is not None:
            for value in terms.values[1:]:
                text = value.replace("'", "''")
                yield _indicator(f"{column}={value}", column, f"{quoted(column)} = '{text}'")
        case kind:
            what = f"a regression with {column}, a {kind}"
            remedy = "Name numbers, BOOLEAN, or TEXT with declared values."
            raise UnsupportedQuery(what, remedy=remedy)


def products(columns: Sequence[Regressor]) -> Iterator[tuple[int, int]]:
    """Yield the pairs whose products have to be added up; the others are 0, or the column's sum."""
    for i, one in enumerate(columns):
        for j in range(i, len(columns)):
            known = one.excludes(columns[j]) or (i == j and one.is_indicator)
            if not known:
                yield i, j


def quoted(name: str) -> str:
    return f'"{name}"'


def _number(column: str, terms: ColumnTerms) -> Regressor:
    low, high = terms.range
    middle = (low + high) // (2 * 10**terms.sql_type.scale) if terms.bounds is not None else 0
    if not middle:
        return Regressor(column, column, quoted(column))
    sign = "-" if middle > 0 else "+"
    return Regressor(column, column, f"({quoted(column)} {sign} {abs(middle)})", middle)


def _indicator(name: str, column: str, condition: str) -> Regressor:
    return Regressor(name, column, f"CASE WHEN {condition} THEN 1 ELSE 0 END", 0, True)
