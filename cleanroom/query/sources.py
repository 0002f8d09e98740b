"""Placement: which tables one owner joins by itself, and which equalities join owners.

A *source* is what one SQL text reads at each of its members: one table, or several tables of a
single owner that are joined with each other. A *key class* is a set of expressions, one a
source, that equalities make equal; it becomes one key column of the same name everywhere.
A *unit* is a part of FROM with its sources; a *link* joins a unit to the one it is attached to.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.query.equalities import Equalities
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.parts import Attached, Kind
from cleanroom.sql.tables import other_numbers, person_column


@dataclass(frozen=True, slots=True)
class KeyClass:
    """Attributes: exprs: source -> the expression that is the key there."""

    name: str
    exprs: dict[int, Expr]
    domain: Domain


@dataclass(frozen=True, slots=True)
class Source:
    """Attributes: where: conditions that every member applies to its own rows.

    `attached` are the parts that the owner itself joins to `core`; `tables` names them too.
    """

    tables: tuple[int, ...]
    members: tuple[str, ...]
    where: tuple[Expr, ...]
    core: tuple[int, ...] = ()
    attached: tuple[Attached, ...] = ()

    @property
    def is_view(self) -> bool:
        """Whether this is an inner aggregation, which no member can read."""
        return self.members[0].startswith("#")


@dataclass(frozen=True, slots=True)
class Link:
    """A unit joined on shares: equal keys, pairwise, and what else must hold for a match."""

    kind: Kind
    unit: "Unit"
    keys: tuple[tuple[Expr, Expr], ...]
    also: tuple[Expr, ...]
    side: int
    rest: int | None


@dataclass(frozen=True, slots=True)
class Unit:
    """Sources that equalities join, conditions `before`, the links in order, `crossing` ones."""

    sources: tuple[int, ...]
    links: tuple[Link, ...]
    crossing: tuple[Expr, ...]
    before: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """Bounds that all members signed for one text, tighter than those of its tables.

    Attributes:
        chosen: rows that a member's own conditions leave of what one source reads.
        joined: rows of one join.
    """

    chosen: int | None = None
    joined: int | None = None


AS_PROVEN = Agreed()


@dataclass(frozen=True, slots=True)
class Placement:
    """Attributes:
    equal: all equalities that hold in every row of a unit.
    agreed: whatever has more rows than this fails, instead of more being proven impossible.
    """

    sources: tuple[Source, ...]
    classes: tuple[KeyClass, ...]
    root: Unit
    equal: Equalities
    agreed: Agreed = AS_PROVEN

    def source_of(self, expr: Expr) -> int | None:
        """Return the one source that can compute `expr`, or None; constants fit the first."""
        return within(expr, self.sources)

    def home(self, expr: Expr) -> int:
        """Return the source of an expression that has one."""
        return home_of(expr, self.sources)

    @property
    def shown(self) -> tuple[int, ...]:
        """Return the sources whose rows are in the result: not those that only test others."""
        return tuple(sorted(shown(self.root)))


def shown(unit: Unit) -> Iterator[int]:
    """Yield the sources whose rows are in a unit's result."""
    yield from unit.sources
    for link in unit.links:
        if link.kind in ("left", "full"):
            yield from shown(link.unit)


def within(expr: Expr, sources: tuple[Source, ...]) -> int | None:
    """Return the first source that has all tables of an expression."""
    needed = tables(expr)
    fits = (i for i, source in enumerate(sources) if needed <= set(source.tables))
    return next(fits, None)


def home_of(expr: Expr, sources: tuple[Source, ...]) -> int:
    source = within(expr, sources)
    if source is None:
        raise ValueError("an expression over several sources")
    return source


def person_of(query: Query, table: int) -> Expr:
    """Return the expression of a table's person column."""
    return person_column(table, query.tables[table])


def others_of(query: Query, table: int) -> tuple[Expr, ...]:
    """Return further expressions that name a table's persons, each by numbers of its own."""
    return other_numbers(table, query.tables[table])
