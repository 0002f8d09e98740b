"""Public bounds on the rows of each source, and which columns tell its rows apart.

Rule: all that is said here follows from the contract; sizes are bounds, never counts.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cleanroom.query.columns import Bits, Columns
from cleanroom.query.dependencies import Dependencies
from cleanroom.query.sources import Placement, Source, others_of, person_of
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
        width: bits of a row.
        grouped: rows differ in their bits columns.
        limits: rows behind one value of a column that names a person, at one member.
        dependencies: by which `keys` may tell all rows apart.
        chosen: rows of a leaf at most, as agreed for this text; None: only what follows.
    """

    source: Source
    bits: tuple[Bits, ...]
    keys: frozenset[str]
    rows: int
    width: int
    limits: Mapping[str, int]
    dependencies: Dependencies
    grouped: bool = True
    chosen: int | None = None

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
        if self.source.is_view:
            return self.rows
        most = MAX_LEAF_ROWS if self.chosen is None else min(self.chosen, MAX_LEAF_ROWS)
        if not self.grouped:
            return min(self.rows, most)
        return min(self.rows, math.prod(map(_size, self._beyond(set()))), most)

    def fan(self, keys: frozenset[str]) -> int:
        """Rows behind one value of `keys`, at all members."""
        if self.tells_apart(keys):
            return 1
        limits = (rows for name, rows in self.limits.items() if name in keys)
        return min((self.rows, *limits)) * self.members

    def fan_is_proven(self, keys: frozenset[str]) -> bool:
        return self.tells_apart(keys) or bool(self.limits.keys() & keys)

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
        others = self._beyond(self._known(keys))
        return min(self.fan(keys), math.prod(map(_size, others)) * self.members)

    def unify(self, keys: frozenset[str]) -> bool | None:
        """Whether `keys` are distinct: False as they are, True after Unify, None if never."""
        rest = self._beyond(self._known(keys))
        if self.members == 1:
            return False if (not rest and self.grouped) or self.tells_apart(keys) else None
        unified = self.grouped and not rest and not any(b.extreme for b in self.bits)
        return True if unified else None

    def _beyond(self, known: set[Expr]) -> list[Bits]:
        """Return the columns by which rows may differ that have the same values of `known`."""
        found = [b for b in self.bits if not b.extreme and bare(b.expr) not in known]
        joined = self.members > 1 or any(a.kind in ("left", "full") for a in self.source.attached)
        if joined or not found:
            return found
        core = self.source.core
        exprs = sorted((b.expr for b in found), key=lambda e: -e.domain.size)
        return [b for b in found if b.expr in self.dependencies.telling(exprs, core, tuple(known))]

    def _known(self, keys: frozenset[str]) -> set[Expr]:
        """Return the expressions that are the same in all rows with equal keys."""
        return {bare(b.expr) for b in self.bits if b.column.name in keys}


def _size(bit: Bits) -> int:
    return min(bit.expr.domain.size, 1 << bit.column.bits + bit.column.nullable)


def sizes_of(query: Query, columns: Columns, *, by_row: bool) -> tuple[Size, ...]:
    """Bound every source.

    Args:
        by_row: rows that are equal in all columns stay apart.
    """
    placement = columns.placement
    dependencies = Dependencies(query, placement)
    found = []
    for index, source in enumerate(placement.sources):
        keys = frozenset(k.name for k in placement.classes if index in k.exprs)
        rows, bits = joined_rows(query, source), tuple(columns.bits[index].values())
        limits: dict[str, int] = {}
        for name, limit in _limits(query, placement, source, bits):
            limits[name] = min(limit, limits.get(name, limit))
        grouped = query.tables[source.tables[0]].view is None and not by_row
        width = 1 + sum(b.column.bits + b.column.nullable for b in bits)
        width += 64 * len(columns.measures[index])
        known = source, bits, keys, rows, width, limits, dependencies, grouped
        found.append(Size(*known, placement.agreed.chosen))
    return tuple(found)


def _limits(
    query: Query, placement: Placement, source: Source, bits: tuple[Bits, ...]
) -> Iterator[tuple[str, int]]:
    """Yield columns that name the person of a table, and the rows behind one person."""
    counted, conditions, alone = _joined(query, source)
    for table in source.core:
        limit = query.tables[table].terms.max_rows_per_person
        if limit is None or alone:
            continue
        rows = _rows_from(query, counted, conditions, table, limit)
        for name in (person_of(query, table), *others_of(query, table)):
            root = placement.equal.root(name)
            for bit in bits:
                if not bit.extreme and placement.equal.root(bit.expr) == root:
                    yield bit.column.name, rows


def joined_rows(query: Query, source: Source) -> int:
    """Bound the rows of a source at one member, its local joins included."""
    counted, conditions, alone = _joined(query, source)
    starts = ((t, query.tables[t].terms.max_rows) for t in source.core)
    return min(_rows_from(query, counted, conditions, t, rows) for t, rows in starts) + alone


def _joined(query: Query, source: Source) -> tuple[list[int], list[Expr], int]:
    """Return the tables that a source's owner joins, on what, and rows besides of FULL joins."""
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
    return counted, conditions, alone


def _rows_from(
    query: Query, counted: list[int], conditions: list[Expr], first: int, rows: int
) -> int:
    """Bound the rows that go with `rows` rows of the first table."""
    placed = {first}
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
