"""A subquery's rows with window functions, lowered: to its only owner's SQL, or to shares.

Rule: with min_group above 1 every partition must name the one person behind its rows. So what a
window function tells in a row is of that row's person alone, as in a GROUP BY over a GROUP BY.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.conditions import CompareSums, Term
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.nodes import Node, Window
from cleanroom.plan.ordering import OrderBy
from cleanroom.plan.windows import Neighbour, Numbering, PartitionTotal
from cleanroom.query import local
from cleanroom.query.columns import Bits, Columns, deliver_something
from cleanroom.query.persons import Persons
from cleanroom.query.reshape import column_of
from cleanroom.query.restricting import facts_of_rows
from cleanroom.query.sources import Placement, person_of
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.query.uses import row_uses
from cleanroom.sql.domain import LIMIT, Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.inner_rows import InnerRows
from cleanroom.sql.view import PERSON, LocalView, View, ViewColumn
from cleanroom.sql.windows import Call


def lower_rows(rows: InnerRows, placement: Placement, min_group: int) -> View | LocalView:
    """Lower a placed subquery with window functions.

    Raises:
        UnsupportedQuery, OverflowPossible.
    """
    (first, *others) = placement.sources
    if not others and len(first.members) == 1 and not first.is_view:
        return local.computed(rows, placement, min_group)
    return _Lowering(rows, placement, min_group).view()


@dataclass(slots=True)
class _Lowering:
    rows: InnerRows
    placement: Placement
    min_group: int
    columns: Columns = field(init=False)
    bits: dict[Expr, Bits] = field(default_factory=dict)

    def view(self) -> View:
        wanted = tuple(self._wanted())
        self.columns = Columns.of(self.placement, wanted)
        for expr in wanted:
            self._ask(expr)
        units = Units(self.columns)
        units.register(self.placement.root)
        person = self._person(units)
        deliver_something(self.rows.query, self.columns)
        tree = Tree(self.rows.query, self.columns, self._first_order())
        built = tree.build(units)
        n = min(built.rows, built.slots)
        found = dict(self._columns(n))
        node = self._windows(built.node, n)
        named = self._named(found, person)
        query = self.rows.query
        limit = local.rows_per_person(query, self.placement)
        uses = row_uses(query, self.placement, tuple(self.rows.calls.values()))
        facts = facts_of_rows(query, self.placement, self.rows.calls)
        return View(node, found, n, named, limit if named else None, None, uses, facts)

    def _wanted(self) -> Iterator[Expr]:
        """Yield every expression over rows that must be a column."""
        for output in self.rows.query.outputs:
            yield output.expr
        for call in self.rows.calls.values():
            yield from call.partition
            yield from (along.expr for along in call.order)
            if call.arg is not None:
                yield call.arg
        if self.min_group > 1:
            for source in self.placement.shown:
                for table in self.placement.sources[source].tables:
                    yield person_of(self.rows.query, table)

    def _ask(self, expr: Expr) -> None:
        if self.placement.source_of(expr) is None:
            what = "a column over several owners beside a window function"
            raise UnsupportedQuery(what, remedy="Select the columns, and compute outside.")
        self.bits[expr] = self.columns.key(expr, opened=True)

    def _person(self, units: Units) -> str | None:
        """Return the column that names the person of all rows of every partition.

        Raises:
            UnsupportedQuery: with min_group > 1, if none does.
        """
        if self.min_group == 1:
            return None
        named = tuple(expr for call in self.rows.calls.values() for expr in call.partition)
        persons = Persons(self.rows.query, self.columns, units, preferred=named)
        persons.collect()
        by = [{self.bits[e].column.name for e in c.partition} for c in self.rows.calls.values()]
        if len(persons.found) == 1 and not persons.optional:
            (name,) = persons.found
            if all(name in names for names in by):
                return name
        raise local.persons_mixed()

    def _first_order(self) -> tuple[str, ...]:
        """Return the columns by which owners had better sort."""
        call = next(iter(self.rows.calls.values()))
        exprs = (*call.partition, *(along.expr for along in call.order))
        return tuple(dict.fromkeys(self.bits[e].column.name for e in exprs))

    def _columns(self, n: int) -> Iterator[tuple[str, ViewColumn]]:
        for output in self.rows.query.outputs:
            bits = self.bits[output.expr]
            yield output.name, _of_bits(bits, bits.column, self._base(output.expr))
        for place, (name, call) in enumerate(self.rows.calls.items()):
            yield name, self._of_call(f"w{place}", call, n)

    def _of_call(self, name: str, call: Call, n: int) -> ViewColumn:
        base = self._base(*((call.arg,) if call.arg is not None else ()))
        if call.kind == "neighbour":
            bits = self.bits[_arg(call)]
            return _of_bits(bits, replace(bits.column, name=name, nullable=True), base)
        terms = (Term(1, (name,)),)
        if call.kind != "sum":
            if call.kind != "count":
                base = self._base(*(along.expr for along in call.order))
            low = 0 if call.kind == "count" else 1
            return ViewColumn(Domain(Kind.INTEGER, low, n), "", None, terms, (), base)
        arg = _arg(call)
        kind = Kind.DECIMAL if arg.domain.kind is Kind.DECIMAL else Kind.INTEGER
        bound, scale = self._bound(call, n), self.bits[arg].encoding.domain.scale
        nullable = self.bits[arg].column.nullable
        domain = Domain(kind, 0 if arg.domain.low >= 0 else -bound, bound, scale, nullable)
        known = (CompareSums(">", (Term(1, (_counting(name),)),)),) if nullable else ()
        return ViewColumn(domain, "", None, terms, known, base)

    def _bound(self, call: Call, n: int) -> int:
        domain = self.bits[_arg(call)].encoding.domain
        bound = domain.magnitude * n
        if bound >= LIMIT:
            what = f"SUM OVER may reach {domain.magnitude} in each of {n} rows"
            raise OverflowPossible(f"{what}; a total below {LIMIT} is safe")
        return bound

    def _windows(self, node: Node, n: int) -> Node:
        """Put one window on the other, functions of the same OVER together."""

        def over(item: tuple[str, Call]) -> tuple[object, ...]:
            return item[1].partition, item[1].order

        calls = [(f"w{place}", call) for place, call in enumerate(self.rows.calls.values())]
        places = list(dict.fromkeys(map(over, calls)))
        ordered = sorted(calls, key=lambda item: places.index(over(item)))
        for _, together in groupby(ordered, key=over):
            node = self._window(node, dict(together), n)
        return node

    def _window(self, node: Node, calls: dict[str, Call], n: int) -> Window:
        first = next(iter(calls.values()))
        by = (
            OrderBy(self.bits[along.expr].column.name, along.descending, along.nulls_first)
            for along in first.order
        )
        numberings = [
            Numbering(name, call.kind, n)
            for name, call in calls.items()
            if call.kind in ("row_number", "rank", "dense_rank")
        ]
        neighbours = [
            Neighbour(name, self.bits[_arg(call)].column.name, call.distance)
            for name, call in calls.items()
            if call.kind == "neighbour"
        ]
        totals = (total for name, call in calls.items() for total in self._totals(name, call, n))
        return Window(
            node,
            tuple(dict.fromkeys(self.bits[e].column.name for e in first.partition)),
            tuple({one.column: one for one in reversed(tuple(by))}.values())[::-1],
            tuple(numberings),
            tuple(neighbours),
            tuple(totals),
        )

    def _totals(self, name: str, call: Call, n: int) -> Iterator[PartitionTotal]:
        if call.kind == "count":
            column = None if call.arg is None else self.bits[call.arg].column.name
            yield PartitionTotal(name, "count", column, n)
        if call.kind == "sum":
            column = self.bits[_arg(call)].column.name
            yield PartitionTotal(name, "sum", column, self._bound(call, n))
            yield PartitionTotal(_counting(name), "count", column, n)

    def _named(self, found: dict[str, ViewColumn], person: str | None) -> str | None:
        """Return the view's name of the persons' column, which is added if need be."""
        if person is None:
            return None
        for name, column in found.items():
            if column.name == person:
                return name
        expr, bits = next((e, b) for e, b in self.bits.items() if b.column.name == person)
        found[PERSON] = _of_bits(bits, bits.column, self._base(expr))
        return PERSON

    def _base(self, *exprs: Expr) -> tuple[tuple[str, str], ...]:
        return local.base(self.rows.query, *exprs)


def _of_bits(bits: Bits, column: BitsColumn, base: tuple[tuple[str, str], ...]) -> ViewColumn:
    domain = replace(bits.encoding.domain, nullable=column.nullable)
    terms, known = column_of(column.name, column, bits.encoding)
    return ViewColumn(domain, column.name, bits.encoding, terms, known, base)


def _arg(call: Call) -> Expr:
    if call.arg is None:
        raise ValueError("a window function without an argument")
    return call.arg


def _counting(name: str) -> str:
    return f"{name}_known"
