"""An inner aggregation as a table of the outer query: groups that are never opened.

Values only. Each column is either a bits column of the inner groups, or a number: a sum of
terms over their sum columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cleanroom.plan.conditions import Predicate, Term
from cleanroom.plan.nodes import Node
from cleanroom.plan.plan import Use
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
    """The inner groups.

    Attributes:
        rows: public bound on the number of groups.
        person: the column that names the person of every row behind a group, if one does.
        one_per_person: whether no two groups have the same person.
        unique: columns that tell the groups apart, none if there is one group; None if the outer
            query can't read them all.
        uses: what the inner query itself needs.
    """

    node: Node
    columns: Mapping[str, ViewColumn]
    rows: int
    person: str | None
    one_per_person: bool
    unique: tuple[str, ...] | None
    uses: tuple[Use, ...]
