"""ORDER BY with LIMIT on shares: so that only the groups that are kept are opened.

Rule: possible where every key of the order is a column of the groups. Of groups that are equal
in all of them, those with smaller GROUP BY keys, in their order there, come first.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cleanroom.plan.conditions import CompareSums, Predicate, Term
from cleanroom.plan.ordering import OrderBy, Top
from cleanroom.query.columns import Bits
from cleanroom.query.outcome import certain
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.sql.aggregates import is_value
from cleanroom.sql.bind import Order, Query
from cleanroom.sql.expr import Expr


@dataclass(frozen=True, slots=True)
class Tops:
    """Attributes: key, value: as in Outcome."""

    query: Query
    totals: Totals
    statistics: Statistics
    key: Callable[[int], Bits]
    value: Callable[[Expr], tuple[str, Bits]]

    def top(self) -> Top | None:
        """Return which groups to open; None if all, as the order needs the opened values."""
        query = self.query
        if query.limit is None or not query.grouped:
            return None
        found = [self._by(order) for order in query.order]
        order = tuple(by for by in found if by is not None)
        if len(order) < len(found):
            return None
        return Top(order, query.limit + (query.offset or 0))

    def _by(self, order: Order) -> OrderBy | None:
        expr, known = order.expr, None
        if expr.op == "key":
            name = self.key(expr.position).column.name
        elif is_value(expr):
            name, _ = self.value(expr)
        elif expr.op == "aggregate" and expr.value == "count":
            name = self._count(expr)
        elif expr.op == "aggregate" and expr.value == "count_distinct":
            name = self.statistics.distinct("count", expr.args[0], "").name
        elif expr.op == "aggregate" and expr.value == "sum":
            name, known = self.totals.sum(expr.args[0], "").name, self._known(expr)
        else:
            return None
        return OrderBy(name, order.descending, order.nulls_first, known)

    def _count(self, expr: Expr) -> str:
        return self.totals.count(expr.args[0] if expr.args else None, "").name

    def _known(self, expr: Expr) -> Predicate | None:
        if certain(self.query, expr):
            return None
        return CompareSums(">", (Term(1, (self._count(expr),)),))
