"""What aggregates multiply, and where that chooses rows without FILTER or CASE.

Rule: SUM(x * f), COVAR_POP(x, f) and VARIANCE(x + f) all hold the product of x and f. With an f of
0 and 1 it is the sum over chosen rows. Constants beside f don't matter: who asks takes them away.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

from cleanroom.query.origins import is_plain
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, columns, walk

FEW = 16  # values that a factor may have and still tells chosen rows from others
_MOMENTS = ("var_", "stddev_", "covar_", "corr")


def is_moment(aggregate: Expr) -> bool:
    """Whether an aggregate is computed from sums of products of its arguments."""
    return str(aggregate.value).startswith(_MOMENTS)


def squares(aggregate: Expr) -> tuple[Expr, ...]:
    """Return the products whose sums a moment is computed from; none of other aggregates."""
    if not is_moment(aggregate):
        return ()
    first, last = aggregate.args[0], aggregate.args[-1]
    pairs = [(first, last)]
    if aggregate.value == "corr":
        pairs = list(combinations_with_replacement(aggregate.args, 2))
    return tuple(Expr("*", pair, first.domain) for pair in pairs)


def factors(query: Query, exprs: Sequence[Expr]) -> tuple[Expr, ...]:
    """Return columns that another is multiplied with: of few values, or computed in a subquery."""
    found = (
        column
        for pair in _pairs(exprs)
        for column in pair
        if _is_few(column) or not is_plain(query, column)
    )
    return tuple(dict.fromkeys(found))


def mixes(exprs: Sequence[Expr]) -> bool:
    """Whether expressions may leave out rows: by 0 or NULL of another column, or a missing side."""
    if any(node.op == "optional" for expr in exprs for node in walk(expr)):
        return True
    named = {reference for expr in exprs for reference in columns(expr)}
    if len(named) > 1 and any(expr.domain.nullable for expr in exprs):
        return True
    return any(_is_few(one) or _may_be_zero(one) for pair in _pairs(exprs) for one in pair)


def _pairs(exprs: Sequence[Expr]) -> Iterator[tuple[Expr, Expr]]:
    """Yield each two columns that stand on the two sides of a product."""
    for product in (node for expr in exprs for node in walk(expr) if node.op == "*"):
        sides = [[n for n in walk(arg) if n.op == "column"] for arg in product.args]
        for one in sides[0]:
            yield from ((one, other) for other in sides[1] if one.reference != other.reference)


def _is_few(column: Expr) -> bool:
    return column.domain.size - column.domain.nullable <= FEW


def _may_be_zero(column: Expr) -> bool:
    return column.domain.low <= 0 <= column.domain.high
