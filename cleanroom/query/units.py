"""From placed units to the tree of joins of a plan.

Rule: `register` asks for every column that joins and conditions need; `build` runs when all
columns are known, for only then are the sizes of leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.conditions import And, Predicate
from cleanroom.plan.nodes import Fill, Filter, Join, Node, Unify
from cleanroom.query import joins
from cleanroom.query.columns import Bits, Columns, Measure
from cleanroom.query.predicates import lower, renamed
from cleanroom.query.sizes import Size
from cleanroom.query.sources import Link, Unit, shown
from cleanroom.sql import missing
from cleanroom.sql.domain import union
from cleanroom.sql.encode import Encoding, choose, compare_constant
from cleanroom.sql.expr import Expr, tables


@dataclass(frozen=True, slots=True)
class Tie:
    """The columns of a link, by name."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    last_by: tuple[str, ...]
    also: Predicate | None


@dataclass(frozen=True, slots=True)
class Built:
    """Attributes: rows: bound on the joined rows behind it; slots: on its own rows."""

    node: Node
    rows: int
    slots: int


@dataclass(slots=True)
class Units:
    """Attributes:
    last_by: columns that count the persons of a tested side, by link.
    proven: every bound has to hold for all rows that the contract allows; else one that most
        rows keep to may be smaller.
    """

    columns: Columns
    proven: bool = False
    last_by: dict[Link, list[str]] = field(default_factory=dict)
    _ties: dict[Link, Tie] = field(default_factory=dict)
    _filters: dict[tuple[Unit, str], tuple[Predicate, ...]] = field(default_factory=dict)

    def register(self, unit: Unit) -> None:
        """Ask for the columns of a unit's joins and conditions."""
        self._filters[unit, "before"] = tuple(lower(c, self.columns) for c in unit.before)
        for link in unit.links:
            self.register(link.unit)
            self._ties[link] = self._tie(link)
        self._filters[unit, "after"] = tuple(lower(c, self.columns) for c in unit.crossing)

    def key(self, link: Link, place: int) -> str:
        """Return the left column of a link's key."""
        left, right = link.keys[place]
        encoding = self._encoding(left, right)
        return self.columns.compared(left, encoding).column.name

    def _encoding(self, left: Expr, right: Expr) -> Encoding:
        """Return how both sides of a link's key travel."""
        domain = replace(union((left.domain, right.domain)), nullable=False)
        return choose(domain, opened=self.columns.reads_view(left, right))

    def _tie(self, link: Link) -> Tie:
        names: list[str] = []
        for left, right in link.keys:
            encoding = self._encoding(left, right)
            names.append(self.columns.compared(right, encoding).column.name)
        keys = tuple(self.key(link, place) for place in range(len(link.keys)))
        also = _all(tuple(lower(c, self.columns) for c in link.also))
        if also is not None:
            also = renamed(also, dict(zip(names, keys, strict=True)))
        return Tie(keys, tuple(names), (), also)

    def first_keys(self, unit: Unit, sizes: tuple[Size, ...]) -> dict[int, tuple[str, ...]]:
        """Return, for each source, the columns by which it is joined first."""
        order = self._order(unit, sizes)
        found = joins.first_keys(order)
        for link in unit.links:
            tie, below = self._ties[link], self.first_keys(link.unit, sizes)
            if len(link.unit.sources) == 1 and not link.unit.links:
                below[link.unit.sources[0]] = (*tie.right, *self.last_by.get(link, ()))
            found.update(below)
        if len(unit.sources) == 1 and unit.links:
            names = {b.column.name for b in sizes[unit.sources[0]].bits}
            left = self._ties[unit.links[0]].left
            found[unit.sources[0]] = left if set(left) <= names else ()
        return found

    def _order(self, unit: Unit, sizes: tuple[Size, ...]) -> joins.Order:
        return joins.choose_order(sizes, unit.sources, self.columns.placement.agreed.joined)

    def build(
        self, unit: Unit, sizes: tuple[Size, ...], nodes: Mapping[int, Node]
    ) -> Built:
        """Build the tree of a unit over the nodes of its sources.

        Raises:
            UnsupportedQuery: if nothing joins two of its sources, or a link can't be computed.
        """
        order = self._order(unit, sizes)
        if self.proven and order.guesses:
            raise UnsupportedQuery("a join of as many rows as nothing proves")
        tree = joins.join_tree(order, nodes)
        built = Built(self._filtered(tree, unit, "before"), order.rows, order.slots)
        for link in unit.links:
            built = self._joined(built, link, sizes, nodes)
        return replace(built, node=self._filtered(built.node, unit, "after"))

    def _filtered(self, tree: Node, unit: Unit, when: str) -> Node:
        predicate = _all(self._filters[unit, when])
        return tree if predicate is None else Filter(tree, predicate)

    def _joined(
        self, left: Built, link: Link, sizes: tuple[Size, ...], nodes: Mapping[int, Node]
    ) -> Built:
        right, tie = self.build(link.unit, sizes, nodes), self._ties[link]
        unify, fan, slots = _matches(link, frozenset(tie.right), right, sizes)
        beyond = any(_names_unit(c, link.unit, self.columns) for c in link.also)
        if (beyond and unify is None) or (link.also and link.kind == "full"):
            raise UnsupportedQuery(
                f"{link.kind.upper()} JOIN on more than equalities, unless it has unique keys"
            )
        node = Unify(right.node) if unify else right.node
        on = tie.left, tie.right
        if link.kind not in ("left", "full"):
            last_by = tuple(self.last_by.get(link, ()))
            tested = right.node if not beyond else node
            join = Join(left.node, tested, *on, None, link.kind, (), last_by, tie.also)
            return replace(left, node=join)
        bound = None
        if unify is None:
            guess = 1 << (2 * (left.slots + right.slots) - 1).bit_length()
            most = self.columns.placement.agreed.joined or guess
            bound = left.slots * slots if self.proven else min(left.slots * slots, guess, most)
        fills = [*self._fills(shown(link.unit), link.side)]
        if link.kind == "full":
            fills += self._fills(self._before(link), link.rest or 0)
        join = Join(left.node, node, *on, bound, link.kind, tuple(fills), (), tie.also)
        extra = (right.rows, right.slots) if link.kind == "full" else (0, 0)
        return Built(join, left.rows * fan + extra[0], (bound or left.slots) + extra[1])

    def _before(self, link: Link) -> Iterator[int]:
        """Yield the sources that a FULL link joins something to."""
        yield from _preceding(self.columns.placement.root, link)

    def _fills(self, sources: Iterator[int], side: int) -> Iterator[Fill]:
        for source in sources:
            for bits in self.columns.bits[source].values():
                yield from _fill(bits, side)
            for measure in self.columns.measures[source].values():
                yield from _fill_sum(measure, side)


def _matches(
    link: Link, keys: frozenset[str], right: Built, sizes: tuple[Size, ...]
) -> tuple[bool | None, int, int]:
    """Return how right keys become unique (see Size.unify), rows behind one key, and of leaves."""
    if len(link.unit.sources) > 1 or link.unit.links:
        return None, right.rows, right.slots
    (source,) = link.unit.sources
    size = sizes[source]
    return size.unify(keys), size.fan(keys), size.leaf_fan(keys)


def _names_unit(condition: Expr, unit: Unit, columns: Columns) -> bool:
    inside = {t for s in unit.sources for t in columns.placement.sources[s].tables}
    return bool(tables(condition) & inside) or any(
        _names_unit(condition, link.unit, columns) for link in unit.links
    )


def _preceding(unit: Unit, link: Link) -> Iterator[int]:
    """Yield the shown sources of the unit that has the link, up to it."""
    if link in unit.links:
        yield from unit.sources
        for earlier in unit.links[: unit.links.index(link)]:
            if earlier.kind in ("left", "full"):
                yield from shown(earlier.unit)
    for other in unit.links:
        yield from _preceding(other.unit, link)


def _fill(bits: Bits, side: int) -> Iterator[Fill]:
    if side not in missing.sides(bits.expr) and tables(bits.expr):
        return
    value = missing.without(bits.expr, side).value
    if value is None:
        yield Fill(bits.column.name, None)
        return
    _, code = compare_constant("=", value, bits.encoding)
    if code:
        yield Fill(bits.column.name, code)


def _fill_sum(measure: Measure, side: int) -> Iterator[Fill]:
    conditions = (missing.without(c, side).value for c in measure.conditions)
    if not all(value is True for value in conditions):
        return
    value: object = 1
    if measure.factor is not None:
        found = missing.without(measure.factor, side)
        scale = measure.factor.domain.scale - found.domain.scale
        value = None if found.value is None else found.domain.low * 10**scale
    if value:
        yield Fill(measure.name, int(str(value)))


def _all(predicates: tuple[Predicate, ...]) -> Predicate | None:
    if not predicates:
        return None
    return predicates[0] if len(predicates) == 1 else And(predicates)
