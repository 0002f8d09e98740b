"""In which ways a query touches each column: what policy rules on."""

from collections.abc import Iterator

from cleanroom.query.aggregates import RIGHTS
from cleanroom.query.bind import Query
from cleanroom.query.expr import COMPARISONS, Expr, columns, tables, walk
from cleanroom.query.plan import Use
from cleanroom.query.sources import Placement

_CONDITIONS = {*COMPARISONS, "in", "is_null", "like", "ilike", "and", "or", "not"}


def uses(query: Query, placement: Placement) -> tuple[Use, ...]:
    """Return every (table, column, right) that the query needs, sorted."""
    found = {*_conditions(query, placement), *_keys(query), *_aggregates(query, placement)}
    return tuple(sorted(found))


def _of(query: Query, expr: Expr, right: str) -> Iterator[Use]:
    for table, name in columns(expr):
        yield Use(query.tables[table].name, name, right)


def _conditions(query: Query, placement: Placement) -> Iterator[Use]:
    for condition in query.where:
        sides = condition.args if condition.op == "=" else ()
        if len(sides) == 2 and all(tables(s) for s in sides) and not (
            tables(sides[0]) & tables(sides[1])
        ):
            yield from _of(query, condition, "join")
        else:
            yield from _condition(query, placement, condition)


def _condition(query: Query, placement: Placement, condition: Expr) -> Iterator[Use]:
    """'compare' for columns that are compared across owners, 'filter' for the others."""
    if placement.source_of(condition) is not None:
        yield from _of(query, condition, "filter")
    elif condition.op in ("and", "or", "not"):
        for arg in condition.args:
            yield from _condition(query, placement, arg)
    else:
        yield from _of(query, condition, "compare")


def _keys(query: Query) -> Iterator[Use]:
    for key in query.keys:
        yield from _of(query, key, "group")


def _aggregates(query: Query, placement: Placement) -> Iterator[Use]:
    after = (*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having)
    for expr in after:
        for node in walk(expr):
            if node.op == "aggregate":
                for arg in node.args:
                    for right in RIGHTS[str(node.value)]:
                        yield from _value(query, placement, arg, right)


def _value(query: Query, placement: Placement, expr: Expr, right: str) -> Iterator[Use]:
    """An aggregate's right for what is aggregated; conditions inside it are conditions."""
    if expr.op in _CONDITIONS:
        yield from _condition(query, placement, expr)
    elif expr.op == "column":
        yield from _of(query, expr, right)
    elif expr.op == "case":
        for condition in expr.args[:-1:2]:
            yield from _condition(query, placement, condition)
        for value in (*expr.args[1:-1:2], expr.args[-1]):
            yield from _value(query, placement, value, right)
    else:
        for arg in expr.args:
            yield from _value(query, placement, arg, right)
