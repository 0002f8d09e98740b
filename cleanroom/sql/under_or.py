"""IN and EXISTS anywhere in a condition, as under OR, or in SELECT: a row matches or it doesn't.

Rule: such a test is TRUE or FALSE, decided by the number of matching rows. An IN that could be
NULL is refused.
"""

from dataclasses import replace
from typing import Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.correlation import Hanging, Tie, taken_apart
from cleanroom.sql.expr import Expr
from cleanroom.sql.extremes import exists
from cleanroom.sql.names import Names
from cleanroom.sql.parse import construct, only
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.tables import aggregates
from cleanroom.sql.values import Values, select_of

_CLAUSES = ("with_", "expressions", "from_", "joins", "where")


def bind_test(values: Values, names: Names, node: Any) -> Expr:
    """Bind IN or EXISTS inside an expression of SELECT, as `bind_subquery` does.

    Raises:
        UnsupportedQuery: for a subquery as a value, too.
    """
    if not isinstance(node, exp.Exists | exp.In):
        what = "a subquery as a value, other than in a condition of WHERE or HAVING"
        raise UnsupportedQuery(what, remedy="LEFT JOIN (SELECT key, value ... GROUP BY key).")
    return bind_subquery(values, names, node)


def bind_subquery(values: Values, names: Names, node: Any) -> Expr:
    """Bind a subquery inside an expression: a value, or a test of its rows.

    Raises:
        UnsupportedQuery: for a test that joins by anything but equalities and one inequality.
    """
    if not isinstance(node, exp.Exists | exp.In):
        return values.bind(node)
    select = select_of(node.this if isinstance(node, exp.Exists) else node.args["query"])
    if aggregates(select):
        raise UnsupportedQuery(f"{construct(node)} over an aggregation under OR")
    only(select, *_CLAUSES)
    hanging = taken_apart(values.scope, select, values.ctes)
    if isinstance(node, exp.In):
        only(node, "this", "query")
        hanging = _with_values(hanging, node.this, select, names)
    if hanging.rest or len(hanging.inequalities) > 1 or not hanging.equalities:
        raise UnsupportedQuery(f"{construct(node)} under OR, joined by more than equalities")
    if hanging.inequalities:
        found = exists(values, hanging, names, negated=True)
        return operators.logical("not", (found,))
    (count,) = values.columns(hanging, [exp.Count(this=exp.Star())])
    return operators.compare(">", count, operators.literal(0))


def _with_values(hanging: Hanging, value: Any, select: exp.Select, names: Names) -> Hanging:
    """Add what IN compares to the ties of its subquery."""
    wanted = value.expressions if isinstance(value, exp.Tuple) else [value]
    given = [node.unalias() for node in select.expressions]
    if len(wanted) != len(given):
        raise UnsupportedQuery("IN with another number of columns than its subquery")
    for outer, inner in zip(wanted, given, strict=True):
        sides = (names.resolve, outer), (hanging.names.resolve, inner)
        bound = (Scalars(resolve, aggregates=False).bind(node) for resolve, node in sides)
        if any(expr.domain.nullable for expr in bound):
            what = "IN under OR over columns that may be NULL"
            raise UnsupportedQuery(what, remedy="Write EXISTS with an equality.")
    pairs = zip(given, wanted, strict=True)
    ties = (Tie("=", inner.copy(), outer.copy()) for inner, outer in pairs)
    return replace(hanging, ties=(*hanging.ties, *ties))
