"""From a bound query to the tree of a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.conditions import And, Predicate
from cleanroom.plan.cost import most_rows
from cleanroom.plan.grouping import Distinct, Extreme
from cleanroom.plan.nodes import Aggregate, Derive, Derived, Filter
from cleanroom.plan.plan import OpenedColumn
from cleanroom.plan.release import Release
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.controls import UNCONTROLLED, Controls
from cleanroom.query.dependencies import Dependencies
from cleanroom.query.having import Having
from cleanroom.query.nested import ViewColumns, groups_of, person_of_groups
from cleanroom.query.outcome import Outcome, certain, meaning
from cleanroom.query.persons import Persons
from cleanroom.query.restricting import facts_of
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.top import Tops
from cleanroom.query.totals import Total, Totals
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.query.uses import inner_uses
from cleanroom.sql.bind import Query
from cleanroom.sql.encode import Encoding
from cleanroom.sql.expr import Expr, walk
from cleanroom.sql.view import View, ViewColumn


@dataclass(frozen=True, slots=True)
class Lowered:
    root: Release
    opened: tuple[OpenedColumn, ...]
    final_sql: str


def lower_view(query: Query, placement: Placement, min_group: int) -> View:
    """Lower a placed query that is the table of another one.

    Raises:
        UnsupportedQuery, OverflowPossible.
    """
    return _Lowering(query, placement, min_group).view()


def lower(
    query: Query, placement: Placement, min_group: int, controls: Controls = UNCONTROLLED
) -> Lowered:
    """Lower a placed query.

    Args:
        controls: what else the contract asks for before groups are opened.

    Raises:
        UnsupportedQuery, OverflowPossible.
    """
    controls.check(query, min_group)
    return _Lowering(query, placement, min_group, controls).run()


@dataclass(slots=True)
class _Lowering:
    query: Query
    placement: Placement
    min_group: int
    controls: Controls = UNCONTROLLED
    columns: Columns = field(init=False)
    totals: Totals = field(init=False)
    statistics: Statistics = field(init=False)
    persons: Persons = field(init=False)
    keys: dict[int, Bits] = field(default_factory=dict)
    extremes: dict[Expr, tuple[Extreme, Bits]] = field(default_factory=dict)

    def run(self) -> Lowered:
        self._begin(self._keys_used())
        parts = self.query, self.totals, self.statistics, self.keys.__getitem__, self._value
        outcome = Outcome(*parts)
        final_sql = outcome.final_sql()
        repeated = outcome.occurrences() if self.query.rows else None
        members = self.controls.held(self.query, self.placement, self.totals)
        grouped, having, rows = self._grouped()
        most = min(groups_of(self.query, rows), most_rows(grouped))
        top, optional = Tops(*parts).top(), tuple(self.persons.optional)
        opened = tuple(outcome.opened)
        rounding = self.controls.rounding(self.totals, self.statistics, rows)
        complement = self.controls.complement(grouped, optional, self.min_group)
        release = grouped, self.min_group, having, opened, top, optional, repeated, most
        root = Release(
            *release,
            held=members,
            complement=complement,
            rounding=rounding,
            rules=self.controls.rules,
        )
        return Lowered(root, tuple(outcome.opened.values()), final_sql)

    def view(self) -> View:
        """Lower an inner aggregation, whose groups the outer query reads."""
        if self.query.limit is not None or self.query.order or self.query.offset is not None:
            raise UnsupportedQuery("ORDER BY or LIMIT in an inner aggregation")
        self._begin(set(range(len(self.query.keys))))
        parts = self.query, self.totals, self.statistics, self.keys.__getitem__, self._value
        ViewColumns(*parts, rows=1).all()
        grouped, having, rows = self._grouped(inner=True)
        key = None if self.persons.optional else person_of_groups(grouped)
        if self.min_group > 1 and key is None:
            what = "an inner aggregation whose GROUP BY doesn't name the person"
            raise UnsupportedQuery(f"{what}, with min_group > 1")
        columns, person = ViewColumns(*parts, rows=rows).with_person(key)
        inside = replace(grouped, persons=(), supported_sums=(), supported_columns=())
        return View(
            inside if having is None else Filter(inside, having),
            columns,
            groups_of(self.query, rows),
            person,
            1 if key is not None and grouped.keys == (key,) else None,
            self._unique(columns, grouped),
            inner_uses(self.query, self.placement),
            facts_of(self.query, self.placement, inner=True),
        )

    def _unique(
        self, columns: Mapping[str, ViewColumn], grouped: Aggregate
    ) -> tuple[str, ...] | None:
        """Return the view's columns that hold the keys."""
        places = {column.name: name for name, column in columns.items() if column.encoding}
        found = tuple(places[name] for name in grouped.keys if name in places)
        return found if len(found) == len(grouped.keys) else None

    def _begin(self, shown: set[int]) -> None:
        """Ask for keys; those `shown` must be recoverable."""
        keys = self.query.keys
        self.columns = Columns.of(self.placement, (keys[i] for i in sorted(shown)))
        self.totals = Totals(self.columns)
        self.statistics = Statistics(self.columns, self.totals)
        for index, key in enumerate(keys):
            self._check_key(key)
            self.keys[index] = self.columns.key(key, opened=index in shown)

    def _grouped(self, *, inner: bool = False) -> tuple[Aggregate, Predicate | None, int]:
        """Return the groups, HAVING, and the bound on the joined rows behind them."""
        units = Units(self.columns)
        units.register(self.placement.root)
        around = self.query, self.columns, units, self.controls.members
        persons = self.persons = Persons(*around, preferred=self.query.keys)
        if self.controls.counted(self.min_group):
            persons.collect()
        self._register_having()
        supported: tuple[str, ...] = ()
        if not inner and (self.min_group > 1 or self.controls.limits is not None):
            supported = tuple(self.totals.supported())
        owned = self.controls.owned(self.query, self.totals)
        built = Tree(self.query, self.columns).build(units)
        having = self._having(built.rows)
        sums = tuple(_derived(total, built.rows) for total in self.totals.found.values())
        keys = self._telling_keys()
        grouped = Aggregate(
            Derive(built.node, sums),
            keys,
            tuple((name,) for name in persons.found),
            tuple(derived.name for derived in sums),
            tuple(extreme for extreme, _ in self.extremes.values()),
            tuple(self.statistics.distincts.values()),
            self.statistics.ranked(built.rows),
            supported if self.min_group > 1 else (),
            tuple(self._supported_columns()) if self.min_group > 1 else (),
            tuple(name for name in self._key_names() if name not in keys),
            dominance=self.controls.dominance(self.query, self.totals, owned, built.rows),
        )
        return grouped, having, built.rows

    def _key_names(self) -> dict[str, Expr]:
        return {bits.column.name: self.query.keys[i] for i, bits in self.keys.items()}

    def _telling_keys(self) -> tuple[str, ...]:
        """Return the keys that tell groups apart; the others follow from them."""
        root, keys = self.placement.root, tuple(self.keys.values())
        if any(link.kind == "full" for link in root.links):
            return tuple(self._key_names())
        among = [t for s in root.sources for t in self.placement.sources[s].core]
        widest_first = sorted(keys, key=lambda bits: -bits.column.bits)
        found = Dependencies(self.query, self.placement).telling(
            [self._key_names()[bits.column.name] for bits in widest_first], among
        )
        return tuple(name for name, expr in self._key_names().items() if expr in found)

    def _keys_used(self) -> set[int]:
        """Return the keys that the answer or HAVING names; others need not be recoverable."""
        after = [*(o.expr for o in self.query.outputs), *(o.expr for o in self.query.order)]
        named = (node for expr in (*after, *self.query.having) for node in walk(expr))
        return {node.position for node in named if node.op == "key"}

    def _supported_columns(self) -> Iterator[str]:
        """Return the nullable bits columns of which values, or their number, are opened."""
        used = [x.column for x, _ in self.extremes.values()]
        used += [d.column for d in self.statistics.distincts.values()]
        used += [q.column for q, _ in self.statistics.quantiles.values()]
        for found in self.columns.bits:
            for bits in found.values():
                name, certain = bits.column.name, not bits.expr.domain.nullable
                if name in used and bits.column.nullable and not certain:
                    yield name

    def _check_key(self, key: Expr) -> None:
        if self.placement.source_of(key) is None:
            what = "rows of" if self.query.rows else "GROUP BY"
            raise UnsupportedQuery(f"{what} an expression over columns of several owners")

    def _value(self, expr: Expr) -> tuple[str, Bits]:
        """Return the bits column of a MIN, MAX or QUANTILE_DISC, and its name in the groups."""
        if expr.value == "quantile_disc":
            quantile, bits = self.statistics.quantile(expr, meaning(self.query, expr.args[0]))
            return quantile.name, bits
        return self._extreme(expr)

    def _extreme(self, expr: Expr) -> tuple[str, Bits]:
        if expr not in self.extremes:
            (arg,) = expr.args
            if self.placement.source_of(arg) is None or arg.op == "literal":
                raise UnsupportedQuery("MIN or MAX of anything but columns of one owner")
            kind: Literal["min", "max"] = "min" if expr.value == "min" else "max"
            bits = self.columns.extreme(arg, kind)
            extreme = Extreme(f"x{len(self.extremes)}", kind, bits.column.name)
            self.extremes[expr] = (extreme, bits)
        extreme, bits = self.extremes[expr]
        return extreme.name, bits

    def _having(self, rows: int) -> Predicate | None:
        query, totals = self.query, self.totals

        def count(expr: Expr) -> Total:
            arg = expr.args[0] if expr.args else None
            return totals.count(arg, f"COUNT({meaning(query, arg) if arg else '*'})")

        def distinct(expr: Expr) -> Distinct:
            return self.statistics.distinct("count", expr.args[0], meaning(query, expr))

        def total(expr: Expr) -> Total:
            return totals.sum(expr.args[0], f"SUM({meaning(query, expr.args[0])})")

        def bits(expr: Expr) -> tuple[str, Encoding]:
            if expr.op == "key":
                column = self.keys[expr.position]
                return column.column.name, column.encoding
            name, column = self._value(expr)
            return name, column.encoding

        lowering = Having(count, total, distinct, lambda e: certain(query, e), bits, rows)
        parts = tuple(lowering.lower(part) for part in query.having)
        return (parts[0] if len(parts) == 1 else And(parts)) if parts else None

    def _register_having(self) -> None:
        """Ask for HAVING's columns before the join order fixes who delivers what."""
        self._having(1)


def _derived(total: Total, rows: int) -> Derived:
    return Derived(total.name, total.bound(rows), total.terms)
