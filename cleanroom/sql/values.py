"""Subqueries that give values: an inner aggregation joined to the rows that read it.

Rule: without a tie to the query around it is one row beside every row. Tied by equalities it is
an inner GROUP BY of their inner sides, joined by them; where it has no group its values are NULL
and its counts 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import functions, operators
from cleanroom.sql.aliases import Ctes
from cleanroom.sql.combined import Combined, is_count
from cleanroom.sql.correlation import Hanging, taken_apart
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import optional
from cleanroom.sql.names import Names
from cleanroom.sql.parse import construct, only
from cleanroom.sql.parts import Attached, Part, inner
from cleanroom.sql.scalars import Scalars

if TYPE_CHECKING:
    from cleanroom.sql.scope import Scope

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
    ctes: Ctes
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
        value = Combined.of(select.expressions[0].unalias())
        if not value.found:
            what = "a subquery as a value that doesn't aggregate"
            raise UnsupportedQuery(what, remedy="Write MIN or MAX of its value, if it is only one.")
        hanging = taken_apart(self.scope, select, self.ctes)
        if hanging.inequalities or hanging.rest:
            what = "a subquery as a value that names the query around it beyond equalities"
            raise UnsupportedQuery(what)
        return value.bind(self.columns(hanging, value.parts), on_rows=self.names is not None)

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
            _counted(optional(column, side)) if is_count(aggregate) else optional(column, side)
            for column, aggregate in zip(found, aggregates, strict=True)
        )


def select_of(node: exp.Expr) -> exp.Select:
    """Return the SELECT of a subquery."""
    while isinstance(node, exp.Subquery | exp.Paren):
        only(node, "this")
        node = node.this
    if not isinstance(node, exp.Select):
        raise UnsupportedQuery(f"{construct(node)} as a subquery")
    return node


def _counted(count: Expr) -> Expr:
    return functions.call("coalesce", count, operators.literal(0))
