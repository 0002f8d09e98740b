"""Subqueries that give values: an inner aggregation joined to the rows that read it.

Rule: without a tie to the query around it is one row beside every row. Tied by equalities it is
an inner GROUP BY of their inner sides, joined by them; where it has no group its values are NULL
and its counts 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import functions, operators
from cleanroom.sql.aggregates import is_aggregate
from cleanroom.sql.correlation import Hanging, taken_apart
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import optional
from cleanroom.sql.names import Names
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Attached, Part, inner
from cleanroom.sql.scalars import Scalars

if TYPE_CHECKING:
    from cleanroom.sql.scope import Ctes, Scope

_CLAUSES = ("with_", "expressions", "from_", "joins", "where")


@dataclass(slots=True)
class Values:
    """Binds the subqueries of one clause, and collects what is to be joined for them.

    Attributes:
        names: of the query around; None where its rows can't be named, as in HAVING.
        single: the columns of one-row subqueries.
    """

    scope: "Scope"
    names: Names | None
    ctes: "Ctes"
    single: list[Expr] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _attached: list[Attached] = field(default_factory=list)

    def joined(self, part: Part) -> Part:
        """Join all subqueries so far to a part."""
        for added in self._parts:
            part = inner(part, added)
        return replace(part, attached=(*part.attached, *self._attached))

    def bind(self, node: Any) -> Expr:
        """Bind (SELECT value ...).

        Raises:
            UnsupportedQuery: for a subquery that may give several rows, or other ties.
        """
        select = select_of(node)
        only(select, *_CLAUSES)
        if len(select.expressions) != 1:
            raise UnsupportedQuery("a subquery of several columns as a value")
        value = select.expressions[0].unalias().copy()
        found = _aggregates(value)
        if not found:
            what = "a subquery as a value that doesn't aggregate"
            raise UnsupportedQuery(what, remedy="Write MIN or MAX of its value, if it is only one.")
        parts = [part for aggregate in found for part in _parts_of(aggregate)]
        hanging = taken_apart(self.scope, select, self.ctes)
        if hanging.inequalities or hanging.rest:
            what = "a subquery as a value that names the query around it beyond equalities"
            raise UnsupportedQuery(what)
        bound = iter(self.columns(hanging, parts))
        shown = {f"#{i}": self._value(a, bound) for i, a in enumerate(found)}
        return _over(value, found, shown)

    def columns(self, hanging: Hanging, aggregates: Sequence[exp.Expr]) -> tuple[Expr, ...]:
        """Join the aggregates of a subquery by its equalities; return their values."""
        select, ties = hanging.select.copy(), hanging.equalities
        keys = [exp.alias_(tie.inner.copy(), f"#k{i}", quoted=True) for i, tie in enumerate(ties)]
        values = [exp.alias_(a.copy(), f"#v{i}", quoted=True) for i, a in enumerate(aggregates)]
        select.set("expressions", [*keys, *values])
        if ties:
            select.set("group", exp.Group(expressions=[tie.inner.copy() for tie in ties]))
        relation, part = self.scope.view(select, "", self.ctes)
        found = [relation.columns[f"#v{i}"] for i in range(len(aggregates))]
        if not ties:
            self._parts.append(part)
            self.single.extend(found)
            return tuple(found)
        if self.names is None:
            raise UnsupportedQuery("a subquery in HAVING that names the query around it")
        outer = [Scalars(self.names.resolve, aggregates=False).bind(t.outer) for t in ties]
        side = self.scope.new_side()
        on = tuple(
            operators.compare("=", expr, relation.columns[f"#k{i}"])
            for i, expr in enumerate(outer)
        )
        self._attached.append(Attached("left", part, on, side))
        return tuple(
            _counted(optional(column, side)) if _is_count(aggregate) else optional(column, side)
            for column, aggregate in zip(found, aggregates, strict=True)
        )

    def _value(self, aggregate: exp.Expr, bound: Iterator[Expr]) -> Expr:
        kind = aggregate.this if isinstance(aggregate, exp.Filter) else aggregate
        if not isinstance(kind, exp.Avg):
            return next(bound)
        total, count = next(bound), next(bound)
        divisor = count if self.names is None else _at_least_one(count)
        return operators.arithmetic("/", total, divisor)


def select_of(node: exp.Expr) -> exp.Select:
    """Return the SELECT of a subquery."""
    while isinstance(node, exp.Subquery | exp.Paren):
        only(node, "this")
        node = node.this
    if not isinstance(node, exp.Select):
        raise UnsupportedQuery(f"{construct(node)} as a subquery")
    return node


def _aggregates(value: exp.Expr) -> list[exp.Expr]:
    """Return the topmost aggregates of a value, each with its FILTER."""
    found = value.walk(prune=_is_whole)
    return list(dict.fromkeys(node for node in found if _is_whole(node)))


def _is_whole(node: exp.Expr) -> bool:
    return is_aggregate(node) or isinstance(node, exp.Filter)


def _parts_of(aggregate: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the aggregates that an inner aggregation can hold: AVG as its sum and its count."""
    kind = aggregate.this if isinstance(aggregate, exp.Filter) else aggregate
    if not isinstance(kind, exp.Avg):
        yield aggregate
        return
    for part in (exp.Sum(this=kind.this.copy()), exp.Count(this=kind.this.copy())):
        if isinstance(aggregate, exp.Filter):
            yield exp.Filter(this=part, expression=aggregate.expression.copy())
        else:
            yield part


def _at_least_one(count: Expr) -> Expr:
    """Return a count whose sum has a value: where there is nothing to count the sum is NULL."""
    if count.op == "call":  # COALESCE(count, 0)
        count = count.args[0]
    if count.op == "call":  # COALESCE(count, 0)
        return _at_least_one(count.args[0])
    inside = tuple(map(_at_least_one, count.args))
    return replace(count, args=inside, domain=replace(count.domain, low=1))


def _is_count(aggregate: exp.Expr) -> bool:
    kind = aggregate.this if isinstance(aggregate, exp.Filter) else aggregate
    return isinstance(kind, exp.Count)


def _counted(count: Expr) -> Expr:
    return functions.call("coalesce", count, operators.literal(0))


def _over(value: exp.Expr, found: list[exp.Expr], shown: dict[str, Expr]) -> Expr:
    """Bind a value over its aggregates."""

    def placed(node: exp.Expr) -> exp.Expr:
        if node in found:
            return exp.column(f"#{found.index(node)}", quoted=True)
        return node

    def resolve(node: exp.Column) -> Expr:
        if node.name not in shown:
            raise UnsupportedQuery(f"column {node.name!r} outside of aggregates in a subquery")
        return shown[node.name]

    return Scalars(resolve, aggregates=False).bind(value.transform(placed))
