"""A subquery as a table of the outer query: inner groups, rows with window functions; a linkage.

Values only. On shares, each column is either a bits column, or a number: a sum of terms over sum
columns; nothing of it is ever opened. What one owner can compute by itself is SQL of that owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cleanroom.plan.conditions import Predicate, Term
from cleanroom.plan.nodes import Node
from cleanroom.plan.plan import Use
from cleanroom.plan.restrictions import Facts
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import Encoding

PERSON = "#person"  # no SQL name: the column that names a group's person


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One output of the inner query.

    Attributes:
        encoding: of bits column `name`; None for a number.
        terms: the value as an integer at the domain's scale, 0 where it is NULL.
        known: the value is NULL unless all are TRUE.
        base: the contract's columns that it is computed from; a use of it is a use of them.
    """

    domain: Domain
    name: str
    encoding: Encoding | None
    terms: tuple[Term, ...]
    known: tuple[Predicate, ...]
    base: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """Inner groups, or rows, on shares.

    Attributes:
        rows: public bound on their number.
        person: the column that names the person of every row behind one, if one does.
        rows_per_person: how many of them have the same person, None if unknown.
        unique: columns that tell them apart, none if there is one group; None if no columns do
            that the outer query can read.
        also: columns each of which, alone, tells rows apart and names their persons too, by
            numbers of its own.
        uses: what the inner query itself needs.
        facts: its conditions, and where its columns come from.
    """

    node: Node
    columns: Mapping[str, ViewColumn]
    rows: int
    person: str | None
    rows_per_person: int | None
    unique: tuple[str, ...] | None
    uses: tuple[Use, ...]
    facts: Facts
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalView:
    """Rows that one owner computes by itself.

    Attributes:
        sql: a SELECT over the owner's tables that yields `columns`, and a column rowid.
        base: for each column, as in ViewColumn.
        tables: the contract's tables that it reads.
        rows, person, rows_per_person, uses, facts: as in View.
    """

    member: str
    sql: str
    columns: Mapping[str, Domain]
    base: Mapping[str, tuple[tuple[str, str], ...]]
    tables: tuple[str, ...]
    rows: int
    person: str | None
    rows_per_person: int | None
    uses: tuple[Use, ...]
    facts: Facts
