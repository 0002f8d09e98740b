"""WHERE with subqueries: IN, EXISTS and their negations become attached parts.

Rule: a conjunct of WHERE that tests a subquery joins it by SEMI or ANTI JOIN; conditions of the
subquery that name the query around it are the ON of that join.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.correlation import conjuncts, taken_apart
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.extremes import exists, needs_extremes
from cleanroom.sql.names import Names
from cleanroom.sql.normal import conjuncts_of
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Attached, Kind, Part
from cleanroom.sql.ratios import cleared
from cleanroom.sql.scalars import Scalars
from cleanroom.sql.tables import aggregates
from cleanroom.sql.under_or import bind_subquery
from cleanroom.sql.values import Values

if TYPE_CHECKING:
    from cleanroom.sql.scope import Scope

_CLAUSES = ("with_", "expressions", "from_", "joins", "where", "distinct")


def condition(
    scope: "Scope", node: exp.Expr, names: Names, part: Part, ctes: Mapping[str, exp.CTE]
) -> Part:
    """Add a WHERE to a part."""
    for conjunct in conjuncts(node):
        negated, test = _test(conjunct)
        if isinstance(test, exp.Exists) or (isinstance(test, exp.In) and test.args.get("query")):
            part = _attached(scope, test, names, part, ctes, negated=negated)
            continue
        values = Values(scope, names, ctes)
        value = partial(bind_subquery, values, names)
        bound = Scalars(names.resolve, aggregates=False, value=value).bind(conjunct)
        part = values.joined(part)
        part = replace(part, where=(*part.where, *conjuncts_of(cleared(bound))))
    return part


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
    if isinstance(test, exp.Exists):
        values = Values(scope, names, ctes)
        decided = _by_extremes(values, select, names, negated=negated)
        if decided is not None:
            part = values.joined(part)
            return replace(part, where=(*part.where, decided))
    found, added = _inside(scope, select, names, ctes)
    added, on = _correlated(added)
    kind: Kind = "anti" if negated else "semi"
    if isinstance(test, exp.In):
        only(test, "this", "query")
        same = tuple(_same(test.this, names, found))
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


def _by_extremes(
    values: Values, select: exp.Select, names: Names, *, negated: bool
) -> Expr | None:
    """Return what decides an EXISTS with an inequality, if nothing cheaper does."""
    if aggregates(select):
        return None
    only(select, *_CLAUSES)
    hanging = taken_apart(values.scope, select, values.ctes)
    if not needs_extremes(values.scope, hanging, names):
        return None
    return exists(values, hanging, names, negated=negated)


def _inside(
    scope: "Scope", select: exp.Select, names: Names, ctes: Mapping[str, exp.CTE]
) -> tuple[Callable[[], tuple[Expr, ...]], Part]:
    """Return what binds the SELECT list of a tested subquery, and its part."""
    if aggregates(select) and not select.args.get("distinct"):
        relation, groups = scope.view(select, "", ctes)
        return lambda: tuple(relation.columns.values()), groups
    only(select, *_CLAUSES)
    inside, part = scope.enter(select, ctes, names)
    bind = Scalars(inside.resolve, aggregates=False).bind
    return lambda: tuple(bind(node.unalias()) for node in select.expressions), part


def _same(
    value: exp.Expr, names: Names, found: Callable[[], tuple[Expr, ...]]
) -> Iterator[Expr]:
    wanted, given = value.expressions if isinstance(value, exp.Tuple) else [value], found()
    if len(wanted) != len(given):
        raise UnsupportedQuery("IN with another number of columns than its subquery")
    for left, right in zip(wanted, given, strict=True):
        yield operators.compare("=", Scalars(names.resolve, aggregates=False).bind(left), right)


def _correlated(part: Part) -> tuple[Part, tuple[Expr, ...]]:
    """Take the conditions that name other tables out of a subquery."""
    own = part.all_tables
    inside = tuple(c for c in part.where if tables(c) <= own)
    across = tuple(c for c in part.where if not tables(c) <= own)
    for joined in part.attached:
        if any(not tables(c) <= own for c in joined.on):
            raise UnsupportedQuery("a join inside a subquery that names the query around it")
    return replace(part, where=inside), across
