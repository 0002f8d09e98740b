"""How often an expression multiplies a column with itself.

Rule: x * (x - 1) * ... * (x - 8) is zero for all values but one, so that a sum of it is a sum over
chosen rows. Squares are left alone: variances and regressions need no more.
"""

from collections.abc import Iterator, Mapping

from cleanroom.plan.restrictions import Base
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr

MOST = 2


def chooses(query: Query, expr: Expr) -> bool:
    """Whether a product raises a column of the contract to a power above two."""
    return expr.op == "*" and any(power > MOST for power in _powers(query, expr).values())


def _powers(query: Query, expr: Expr) -> Mapping[Base, int]:
    """Return the degree of each column behind an expression, as of a polynomial."""
    if expr.op == "column":
        table, name = expr.reference
        return dict.fromkeys(query.tables[table].base(name), 1)
    found: dict[Base, int] = {}
    for base, power in _of_all(query, expr):
        before = found.get(base, 0)
        found[base] = before + power if expr.op == "*" else max(before, power)
    return found


def _of_all(query: Query, expr: Expr) -> Iterator[tuple[Base, int]]:
    for arg in expr.args:
        yield from _powers(query, arg).items()
