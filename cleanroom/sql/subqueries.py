"""WHERE with subqueries: IN, EXISTS and their negations become attached parts.

Rule: a conjunct of WHERE that tests a subquery joins it by SEMI or ANTI JOIN; conditions of the
subquery that name the query around it are the ON of that join.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.names import Names
from cleanroom.sql.normal import conjuncts_of
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Attached, Kind, Part
from cleanroom.sql.scalars import Scalars

if TYPE_CHECKING:
    from cleanroom.sql.scope import Scope

_CLAUSES = ("with_", "expressions", "from_", "joins", "where", "distinct")


def condition(
    scope: "Scope", node: exp.Expr, names: Names, part: Part, ctes: Mapping[str, exp.CTE]
) -> Part:
    """Add a WHERE to a part."""
    for conjunct in _conjuncts(node):
        negated, test = _test(conjunct)
        if isinstance(test, exp.Exists) or (isinstance(test, exp.In) and test.args.get("query")):
            part = _attached(scope, test, names, part, ctes, negated=negated)
            continue
        bound = Scalars(names.resolve, aggregates=False).bind(conjunct)
        part = replace(part, where=(*part.where, *conjuncts_of(bound)))
    return part


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _test(node: exp.Expr) -> tuple[bool, exp.Expr]:
    """Look through NOT and parentheses."""
    negated = False
    while isinstance(node, exp.Paren | exp.Not):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    return negated, node


def _attached(
    scope: "Scope",
    test: Any,
    names: Names,
    part: Part,
    ctes: Mapping[str, exp.CTE],
    *,
    negated: bool,
) -> Part:
    select = test.this if isinstance(test, exp.Exists) else test.args["query"]
    while isinstance(select, exp.Subquery | exp.Paren):
        only(select, "this")
        select = select.this
    if not isinstance(select, exp.Select):
        raise UnsupportedQuery(f"{construct(select)} in {construct(test)}")
    only(select, *_CLAUSES)
    inside, added = scope.enter(select, ctes, names)
    added, on = _correlated(added)
    kind: Kind = "anti" if negated else "semi"
    if isinstance(test, exp.In):
        only(test, "this", "query")
        same = tuple(_same(test.this, select, names, inside))
        nullable = any(side.domain.nullable for pair in same for side in pair.args)
        if negated and nullable:
            if on or len(same) > 1:
                raise UnsupportedQuery("NOT IN over nullable columns that names the query around")
            kind = "not in"
        on = (*same, *on)
    if not on:
        raise UnsupportedQuery(f"{construct(test)} that names nothing of the query around it")
    attached = Attached(kind, added, on, scope.new_side())
    return replace(part, attached=(*part.attached, attached))


def _same(
    value: exp.Expr, select: exp.Select, names: Names, inside: Names
) -> Iterator[Expr]:
    wanted = value.expressions if isinstance(value, exp.Tuple) else [value]
    if len(wanted) != len(select.expressions):
        raise UnsupportedQuery("IN with another number of columns than its subquery")
    for left, right in zip(wanted, select.expressions, strict=True):
        plain = right.this if isinstance(right, exp.Alias) else right
        a = Scalars(names.resolve, aggregates=False).bind(left)
        b = Scalars(inside.resolve, aggregates=False).bind(plain)
        yield operators.compare("=", a, b)


def _correlated(part: Part) -> tuple[Part, tuple[Expr, ...]]:
    """Take the conditions that name other tables out of a subquery."""
    own = part.all_tables
    inside = tuple(c for c in part.where if tables(c) <= own)
    across = tuple(c for c in part.where if not tables(c) <= own)
    for joined in part.attached:
        if any(not tables(c) <= own for c in joined.on):
            raise UnsupportedQuery("a join inside a subquery that names the query around it")
    return replace(part, where=inside), across
