"""Join order, and the public bounds on rows that follow from the contract.

Rule: a join whose right keys are pairwise distinct needs no room for extra rows, so the order
is chosen to have as many of those as possible. All sizes here are bounds, never counts.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.nodes import Join as JoinNode
from cleanroom.plan.nodes import JoinKind, Leaf, Node, Unify, Union
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.dependencies import Dependencies
from cleanroom.query.sources import Placement, Source, person_of
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.missing import bare
from cleanroom.sql.parts import walk_parts

MAX_LEAF_ROWS = 1 << 24


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds of one source.

    Attributes:
        rows: joined rows behind it, at one member.
        grouped: rows differ in their bits columns.
        person: columns that name the person of its only table; rows_per_person: their limit.
        dependencies: by which `keys` may tell all rows apart.
    """

    source: Source
    bits: tuple[Bits, ...]
    keys: frozenset[str]
    rows: int
    person: frozenset[str]
    rows_per_person: int | None
    dependencies: Dependencies
    grouped: bool = True

    @property
    def is_single(self) -> bool:
        """Whether this is an aggregation without keys: one row that needs no key to be joined."""
        return not self.grouped and self.tells_apart(frozenset())

    @property
    def members(self) -> int:
        return len(self.source.members)

    @property
    def leaf_rows(self) -> int:
        """Rows of one leaf: no more than rows behind it, and than there are different ones."""
        if not self.grouped:
            return self.rows
        grouped = (b for b in self.bits if not b.extreme)
        return min(self.rows, math.prod(_size(b) for b in grouped), MAX_LEAF_ROWS)

    def fan(self, keys: frozenset[str]) -> int:
        """Rows behind one value of `keys`, at all members."""
        if self.tells_apart(keys):
            return 1
        each = self.rows
        if self.person & keys and self.rows_per_person is not None:
            each = min(each, self.rows_per_person)
        return each * self.members

    def fan_is_proven(self, keys: frozenset[str]) -> bool:
        return self.tells_apart(keys) or (
            bool(self.person & keys) and self.rows_per_person is not None
        )

    def tells_apart(self, keys: frozenset[str]) -> bool:
        """Whether no two of the rows behind this source have the same values of `keys`."""
        source, known = self.source, self._known(keys)
        joined = any(a.kind in ("left", "full") for a in source.attached)
        if self.members > 1 or joined:
            return False
        return self.dependencies.determined(known, source.core) == set(source.core)

    def leaf_fan(self, keys: frozenset[str]) -> int:
        """Rows of all leaves for one value of `keys`."""
        if not self.grouped:
            return self.fan(keys)
        known = self._known(keys)
        others = (b for b in self.bits if not b.extreme and bare(b.expr) not in known)
        return min(self.fan(keys), math.prod(_size(b) for b in others) * self.members)

    def unify(self, keys: frozenset[str]) -> bool | None:
        """Whether `keys` are distinct: False as they are, True after Unify, None if never."""
        known = self._known(keys)
        rest = {b.column.name for b in self.bits if not b.extreme and bare(b.expr) not in known}
        if self.members == 1:
            return False if (not rest and self.grouped) or self.tells_apart(keys) else None
        return True if not rest and not any(b.extreme for b in self.bits) else None

    def _known(self, keys: frozenset[str]) -> set[Expr]:
        """Return the expressions that are the same in all rows with equal keys."""
        return {bare(b.expr) for b in self.bits if b.column.name in keys}


@dataclass(frozen=True, slots=True)
class Step:
    """Join one source to what came before: `unify` as in Size, `bound` as in plan.Join."""

    source: int
    keys: tuple[str, ...]
    unify: bool
    bound: int | None


@dataclass(frozen=True, slots=True)
class Order:
    """A left-deep order; `rows` bounds the joined rows behind the result, `slots` its own."""

    first: int
    steps: tuple[Step, ...]
    rows: int
    cost: tuple[int, int]
    slots: int


def _size(bit: Bits) -> int:
    return min(bit.expr.domain.size, 1 << bit.column.bits + bit.column.nullable)


def sizes(query: Query, columns: Columns) -> tuple[Size, ...]:
    """Bound every source."""
    placement = columns.placement
    dependencies = Dependencies(query, placement)
    found = []
    for index, source in enumerate(placement.sources):
        keys = frozenset(k.name for k in placement.classes if index in k.exprs)
        rows, limit = joined_rows(query, source), None
        bits = tuple(columns.bits[index].values())
        person: frozenset[str] = frozenset()
        if len(source.tables) == 1:
            person = _person_columns(query, placement, index, bits)
            limit = query.tables[source.tables[0]].terms.max_rows_per_person
        grouped = query.tables[source.tables[0]].view is None
        found.append(Size(source, bits, keys, rows, person, limit, dependencies, grouped))
    return tuple(found)


def _person_columns(
    query: Query, placement: Placement, index: int, bits: tuple[Bits, ...]
) -> frozenset[str]:
    person = person_of(query, placement.sources[index].tables[0])
    root = placement.equal.root(person)
    return frozenset(
        b.column.name for b in bits if not b.extreme and placement.equal.root(b.expr) == root
    )


def joined_rows(query: Query, source: Source) -> int:
    """Bound the rows of a source at one member, its local joins included."""
    counted = [*source.core]
    conditions = [*source.where]
    alone = 0
    for joined in source.attached:
        if joined.kind in ("left", "full"):
            for part, _ in walk_parts(joined.part, tested=False):
                counted += part.tables
                conditions += part.where
            conditions += joined.on
        if joined.kind == "full":
            alone += math.prod(query.tables[t].terms.max_rows for t in joined.part.tables)
    starts = (_rows_from(query, counted, conditions, first) for first in source.core)
    return min(starts) + alone


def _rows_from(query: Query, counted: list[int], conditions: list[Expr], first: int) -> int:
    rows, placed = query.tables[first].terms.max_rows, {first}
    while left := [t for t in counted if t not in placed]:
        limited = [t for t in left if _by_person(query, conditions, t, placed)]
        table = (limited or left)[0]
        terms = query.tables[table].terms
        limit = terms.max_rows_per_person if limited else None
        rows *= min(limit or terms.max_rows, terms.max_rows)
        placed.add(table)
    return rows


def _by_person(query: Query, conditions: list[Expr], table: int, placed: set[int]) -> bool:
    person = person_of(query, table)
    for condition in conditions:
        if condition.op == "=" and person in condition.args:
            others = tables(condition) - {table}
            if others and others <= placed:
                return True
    return False


def choose_order(found: tuple[Size, ...], among: tuple[int, ...]) -> Order:
    """Choose the order with the fewest joins of non-unique keys, then the fewest rows.

    Raises:
        UnsupportedQuery: if some table isn't joined with the others.
    """
    starts = [i for i in among if not found[i].is_single] or among
    return min((_from(found, among, first) for first in starts), key=lambda o: o.cost)


def _from(found: tuple[Size, ...], among: tuple[int, ...], first: int) -> Order:
    size = found[first]
    available, left = set(size.keys), [i for i in among if i != first]
    rows = size.rows * size.members
    leaf_rows = size.leaf_rows * size.members
    steps: list[Step] = []
    loose, total = 0, leaf_rows
    while left:
        alone = size if not steps else None
        options = sorted(_options(found, left, available, alone, leaf_rows))
        if not options:
            raise UnsupportedQuery("tables without an equality that joins them; no cross joins")
        *_, source = options[0]
        step = _step(found[source], source, available, alone, leaf_rows)
        steps.append(step)
        loose += step.bound is not None
        keys = frozenset(step.keys)
        behind = found[source].rows * found[source].members
        before = rows
        rows = before * found[source].fan(keys)
        if alone is not None:
            rows = min(rows, behind * alone.fan(keys))
        leaf_rows = step.bound or leaf_rows
        total += leaf_rows + found[source].leaf_rows * found[source].members
        available |= found[source].keys
        left.remove(source)
    return Order(first, tuple(steps), rows, (loose, total), leaf_rows)


def _options(
    found: tuple[Size, ...], left: list[int], available: set[str], alone: Size | None, rows: int
) -> Iterator[tuple[bool, int, int]]:
    for source in left:
        if found[source].keys & available or found[source].is_single:
            step = _step(found[source], source, available, alone, rows)
            yield step.bound is not None, step.bound or found[source].leaf_rows, source


def _step(right: Size, source: int, available: set[str], left: Size | None, rows: int) -> Step:
    keys = frozenset(right.keys & available)
    names = tuple(sorted(keys, key=lambda name: int(name[1:])))
    unify = right.unify(keys)
    if unify is not None:
        return Step(source, names, unify, None)
    right_rows = right.leaf_rows * right.members
    guess = 1 << (2 * (rows + right_rows) - 1).bit_length()
    limits = [rows * right.leaf_fan(keys)]
    proven = [rows * right.leaf_fan(keys)] if right.fan_is_proven(keys) else []
    if left is not None:
        limits.append(right_rows * left.leaf_fan(keys))
        if left.fan_is_proven(keys):
            proven.append(right_rows * left.leaf_fan(keys))
    return Step(source, names, False, min(proven) if proven else min(*limits, guess))


def join_tree(order: Order, nodes: Mapping[int, Node]) -> Node:
    """Build the joins over the sources' nodes."""
    tree = nodes[order.first]
    for step in order.steps:
        right = Unify(nodes[step.source]) if step.unify else nodes[step.source]
        kind: JoinKind = "inner" if step.keys else "one"
        tree = JoinNode(tree, right, step.keys, step.keys, step.bound, kind)
    return tree


def first_keys(order: Order) -> dict[int, tuple[str, ...]]:
    """Return, for each source, the keys by which it is joined first."""
    keys = {step.source: step.keys for step in order.steps}
    return {order.first: order.steps[0].keys if order.steps else (), **keys}


def source_node(leaves: tuple[Leaf, ...]) -> Node:
    return leaves[0] if len(leaves) == 1 else Union(leaves)
