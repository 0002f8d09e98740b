"""How a query chooses rows by each column, and which columns it makes equal. Values only.

Rule: facts about the conditions, compiled from the bound query by every member, that policy rules
on besides rights. Columns are the contract's own, however deep in subqueries they are used.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Base: TypeAlias = tuple[str, str]  # a table of the contract and its column
How: TypeAlias = Literal["equality", "range", "other", "computed"]


@dataclass(frozen=True, slots=True, order=True)
class Restriction:
    """One condition on one column.

    Attributes:
        how: "equality" with constants; a "range" with constant ends; "other" for all else that
            chooses rows; "computed" where an expression of the column chooses none.
        what: the construct of the last two, in SQL's words.
        constant: whether values of the column meet constants, or what may hold some; not where
            they meet another column's, or only their number counts.
        values: of an equality; numbers encoded, text behind a quote.
        low, high: of a range, encoded as the column's type has it; both belong to it.
    """

    table: str
    column: str
    how: How
    what: str = ""
    constant: bool = True
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    @property
    def base(self) -> Base:
        return self.table, self.column


@dataclass(frozen=True, slots=True, order=True)
class Linked:
    """Two columns that a condition compares: constants that one meets, the other meets as well."""

    first: Base
    second: Base


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the values of an expression come from.

    Attributes:
        own: columns whose values it holds, perhaps changed.
        plain: whether it holds them unchanged.
        made: whether constants may decide its value.
    """

    own: tuple[Base, ...] = ()
    plain: bool = False
    made: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a query's conditions.

    Attributes:
        origins: of a subquery's columns, by name.
        tables: of the contract, as often as they are named.
        shape: a hash of a subquery in canonical form.
        whole: whether all aggregates are of the same rows: none leaves out some by FILTER, CASE,
            a product, the missing side of a join, or as another mention of a table.
    """

    restrictions: tuple[Restriction, ...] = ()
    linked: tuple[Linked, ...] = ()
    origins: tuple[tuple[str, Origin], ...] = ()
    tables: tuple[str, ...] = ()
    shape: str = ""
    whole: bool = True

    def origin(self, name: str) -> Origin | None:
        return dict(self.origins).get(name)
