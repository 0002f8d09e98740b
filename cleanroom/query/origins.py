"""Where the values of an expression come from: columns of the contract, constants, or both.

Rule: what can't be followed counts as made of constants.
"""

from collections.abc import Iterable

from cleanroom.contract.types import Kind
from cleanroom.plan.restrictions import Base, Origin
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import COMPARISONS, Expr
from cleanroom.sql.missing import bare

TRUTHS = {*COMPARISONS, "in", "is_null", "like", "ilike", "and", "or", "not"}
_ARITHMETIC = {"+", "-", "*", "/", "//", "%", "neg"}  # x * 0 + 5 is a constant
_NUMBERS = {Kind.INTEGER, Kind.DECIMAL}
_COUNTS = {"count", "count_distinct"}


def origin(query: Query, expr: Expr) -> Origin:
    """Return where an expression's values come from."""
    expr = bare(expr)
    if expr.op == "column":
        return of_column(query, *expr.reference)
    if expr.op == "key":
        return origin(query, query.keys[expr.position])
    if expr.op == "literal":
        return Origin(made=expr.value is not None)
    if expr.op == "aggregate" and expr.value in _COUNTS:
        return Origin()
    if expr.op in TRUTHS:
        return Origin(made=True)
    args = (*expr.args[1:-1:2], expr.args[-1]) if expr.op == "case" else expr.args
    if expr.op == "aggregate":
        args = expr.args[:1]  # a quantile's share is no value
    found = [origin(query, arg) for arg in args]
    made = any(one.made for one in found) or expr.op in _ARITHMETIC or _is_coded(expr)
    return Origin(_all(one.own for one in found), False, made)


def _is_coded(expr: Expr) -> bool:
    """Whether an expression turns what is no number into one of few: a truth, a date or a text."""
    kinds = {arg.domain.kind for arg in expr.args}
    if expr.op == "cast":
        return Kind.BOOLEAN in kinds
    return expr.op == "call" and expr.domain.is_number and not kinds <= _NUMBERS


def of_column(query: Query, table: int, name: str) -> Origin:
    """Return where a column's values come from: of a subquery, what its own query tells."""
    of = query.tables[table]
    if of.facts is None:
        return Origin(((of.name, name),), plain=True)
    return of.facts.origin(name) or Origin(of.base(name))


def is_plain(query: Query, expr: Expr) -> bool:
    """Whether an expression is a column of the contract as it is, perhaps from a subquery."""
    return bare(expr).op == "column" and origin(query, expr).plain


def merged(origins: Iterable[Origin]) -> Origin:
    """Return the origin of a column that is one of several: a branch's of UNION ALL."""
    found = tuple(origins)
    own, plain = _all(one.own for one in found), all(one.plain for one in found)
    return Origin(own, plain, any(one.made for one in found))


def _all(bases: Iterable[tuple[Base, ...]]) -> tuple[Base, ...]:
    return tuple(dict.fromkeys(base for some in bases for base in some))
