"""Who stands behind a row: the columns whose distinct values min_group counts.

Rule: one class of persons for each person column that equalities don't make equal to another.
The preserved side of an outer join always counts. The side that may be missing is a class of
its own, of which NULLs are nobody: a group passes with none of them, or with min_group of them.
A side that is only tested by SEMI JOIN counts by one person a key; that of ANTI JOIN not at all.
Where a row names its person by several numbers, these are one class.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cleanroom.errors import UnsupportedQuery
from cleanroom.query.columns import Columns
from cleanroom.query.equalities import Equalities
from cleanroom.query.members import NOBODY, Members
from cleanroom.query.sources import Link, Placement, Unit, others_of, person_of
from cleanroom.query.units import Units
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import optional
from cleanroom.sql.parts import walk_parts


@dataclass(slots=True)
class Persons:
    """Whose distinct values are counted, once `collect` has found them.

    Attributes:
        preferred: expressions that had better name a class, where persons have several numbers.
        found: the columns; optional: places of those that may be missing.
        equal: which expressions name the same persons; values: which have the same values.
    """

    query: Query
    columns: Columns
    units: Units
    members: Members = NOBODY
    preferred: tuple[Expr, ...] = ()
    equal: Equalities = field(init=False)
    values: Equalities = field(init=False)
    found: list[str] = field(default_factory=list)
    optional: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.equal = self.columns.placement.equal.copy()
        self.values = self.columns.placement.equal.copy()
        for table in range(len(self.query.tables)):
            for other in others_of(self.query, table):
                self.equal.join(person_of(self.query, table), other)

    def collect(self) -> None:
        """Find every class of persons of the query."""
        around = _around(self.query)
        placement = self.columns.placement
        tests = tuple(_tests(placement.root, optional=False))
        for left, right in (key for link in tests for key in link.keys):
            self.equal.join(left, right)
            self.values.join(left, right)
        seen: set[tuple[Expr, tuple[int, ...]]] = set()
        shown = {t for s in placement.shown for t in placement.sources[s].tables}
        for table in sorted(shown & set(around)):
            person = person_of(self.query, table)
            sides = around[table]
            key = (self.equal.root(person), sides)
            if key not in seen:
                seen.add(key)
                self._add(self._column(table, person, sides), sides)
        for link in tests:
            for table in sorted(_tables(placement, link.unit)):
                root = self.equal.root(person_of(self.query, table))
                if (root, ()) not in seen:
                    seen.add((root, ()))
                    self._tested(link, person_of(self.query, table))

    def _add(self, name: str, sides: tuple[int, ...]) -> None:
        if name in self.found:
            return
        if sides:
            self.optional.append(len(self.found))
        self.found.append(name)

    def _column(self, table: int, person: Expr, sides: tuple[int, ...]) -> str:
        placement = self.columns.placement
        theirs = self.members.person(self.query, table, person)
        if not sides and theirs is person:
            person = theirs = self._number(person)
            source = placement.source_of(person)
            for key in placement.classes:
                mine = key.exprs.get(-1 if source is None else source)
                if mine is not None and self.values.root(mine) == self.values.root(person):
                    return key.name
        for side in sides:
            theirs = optional(theirs, side)
        return self.columns.key(theirs, opened=False).column.name

    def _number(self, person: Expr) -> Expr:
        """Return the preferred one among the numbers of a person, if one is."""
        same = [e for e in self.preferred if self.equal.root(e) == self.equal.root(person)]
        if not same or any(self.values.root(e) == self.values.root(person) for e in same):
            return person
        return same[0]

    def _tested(self, link: Link, person: Expr) -> None:
        for place, (_, right) in enumerate(link.keys):
            if self.equal.root(right) == self.equal.root(person):
                self._add(self.units.key(link, place), ())
                return
        name = self.columns.key(person, opened=False).column.name
        self.units.last_by.setdefault(link, []).append(name)
        self._add(name, ())


def _around(query: Query) -> dict[int, tuple[int, ...]]:
    parts = walk_parts(query.part, tested=False)
    return {table: sides for part, sides in parts for table in part.tables}


def _tests(unit: Unit, *, optional: bool) -> Iterator[Link]:
    """Yield the SEMI links.

    Raises:
        UnsupportedQuery: for one whose persons would have to be followed through further joins.
    """
    for link in unit.links:
        if link.kind == "semi":
            simple = all(other.kind in ("anti", "not in") for other in link.unit.links)
            if optional or not simple or any(other.kind == "full" for other in unit.links):
                raise UnsupportedQuery("IN or EXISTS inside of another join, with min_group > 1")
            yield link
        if link.kind in ("left", "full"):
            yield from _tests(link.unit, optional=True)


def _tables(placement: Placement, unit: Unit) -> Iterator[int]:
    for source in unit.sources:
        yield from placement.sources[source].tables
