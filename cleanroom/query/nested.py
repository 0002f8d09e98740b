"""GROUP BY over GROUP BY: from an inner query, lowered, to the view that the outer one reads."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.conditions import CompareSums, Predicate, Term
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.nodes import Aggregate
from cleanroom.query.columns import Bits
from cleanroom.query.outcome import certain, meaning
from cleanroom.query.reshape import column_of
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.sql.aggregates import is_value
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import Encoding
from cleanroom.sql.expr import Expr, columns
from cleanroom.sql.view import PERSON, ViewColumn


@dataclass(frozen=True, slots=True)
class ViewColumns:
    """Makes the columns of a view; the first call registers what they need.

    Attributes:
        rows: bound on the joined rows.
    """

    query: Query
    totals: Totals
    statistics: Statistics
    key: Callable[[int], Bits]
    value: Callable[[Expr], tuple[str, Bits]]
    rows: int

    def all(self) -> dict[str, ViewColumn]:
        """Return each output's column.

        Raises:
            UnsupportedQuery: for outputs that aren't whole numbers of some scale, or values.
        """
        found: dict[str, ViewColumn] = {}
        for output in self.query.outputs:
            name = output.name.lower()
            if name in found:
                raise UnsupportedQuery("a subquery's column without a name of its own")
            found[name] = self._column(output.expr)
        return found

    def with_person(self, key: str | None) -> tuple[dict[str, ViewColumn], str | None]:
        """Return all columns, one of the persons' key among them, and that one's name."""
        found = self.all()
        if key is None:
            return found, None
        for name, column in found.items():
            if column.name == key:
                return found, name
        for place, expr in enumerate(self.query.keys):
            if self.key(place).column.name == key:
                found[PERSON] = self._column(Expr("key", (), expr.domain, place))
        return found, PERSON

    def _column(self, expr: Expr) -> ViewColumn:
        base = tuple(dict.fromkeys(self._base(expr)))
        if expr.op == "key":
            bits = self.key(expr.position)
            return self._of_bits(bits.column.name, bits, bits.column, base)
        if is_value(expr):
            name, bits = self.value(expr)
            nullable = BitsColumn(name, bits.column.bits, True, bits.column.low)
            return self._of_bits(name, bits, nullable, base)
        domain, terms, known = self._aggregate(expr)
        return ViewColumn(domain, "", None, terms, known, base)

    def _of_bits(
        self, name: str, bits: Bits, column: BitsColumn, base: tuple[tuple[str, str], ...]
    ) -> ViewColumn:
        encoding: Encoding = bits.encoding
        own = encoding.domain
        domain = Domain(
            own.kind, own.low, own.high, own.scale, column.nullable, own.values, own.max_bytes
        )
        terms, known = column_of(name, column, encoding)
        return ViewColumn(domain, name, encoding, terms, known, base)

    def _aggregate(self, expr: Expr) -> tuple[Domain, tuple[Term, ...], tuple[Predicate, ...]]:
        """Return a total as a number."""
        arg = expr.args[0] if expr.args else None
        text = meaning(self.query, expr)
        if expr.value == "count":
            total = self.totals.count(arg, text)
            always = self.query.grouped and (arg is None or not arg.domain.nullable)
            domain = Domain(Kind.INTEGER, int(always), total.bound(self.rows))
            return domain, (Term(1, (total.name,)),), ()
        if expr.value == "count_distinct" and arg is not None:
            distinct = self.statistics.distinct("count", arg, text)
            domain = Domain(Kind.INTEGER, 0, min(distinct.bound, self.rows))
            return domain, (Term(1, (distinct.name,)),), ()
        if expr.value != "sum" or arg is None:
            what = str(expr.value).upper()
            raise UnsupportedQuery(f"{what} as a column of an inner aggregation")
        total = self.totals.sum(arg, text)
        bound = total.bound(self.rows)
        low = 0 if arg.domain.low >= 0 else -bound
        kind = Kind.DECIMAL if arg.domain.kind is Kind.DECIMAL else Kind.INTEGER
        sure = certain(self.query, expr)
        count = self.totals.count(arg, f"COUNT({meaning(self.query, arg)})").name
        known = () if sure else (CompareSums(">", (Term(1, (count,)),)),)
        domain = Domain(kind, low, bound, arg.domain.scale, not sure)
        return domain, (Term(1, (total.name,)),), known

    def _base(self, expr: Expr) -> Iterator[tuple[str, str]]:
        if expr.op == "key":
            yield from self._base(self.query.keys[expr.position])
        for table, name in columns(expr):
            yield from self.query.tables[table].base(name)
        for arg in expr.args:
            if arg.op != "column":
                yield from self._base(arg)


def groups_of(query: Query, rows: int) -> int:
    """Bound the number of groups."""
    return min(rows, math.prod(key.domain.size for key in query.own_keys))


def person_of_groups(grouped: Aggregate) -> str | None:
    """Return the key that names the person of all rows of a group, if one does."""
    if len(grouped.persons) != 1 or len(grouped.persons[0]) != 1:
        return None
    (person,) = grouped.persons[0]
    return person if person in (*grouped.keys, *grouped.carried) else None
