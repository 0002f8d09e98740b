"""Orders of rows and of groups, and which of them come first. Values only."""

from dataclasses import dataclass

from cleanroom.plan.conditions import Predicate


@dataclass(frozen=True, slots=True)
class OrderBy:
    """A key of an order of groups: a column, NULL unless `known` is TRUE."""

    column: str
    descending: bool
    nulls_first: bool
    known: Predicate | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """The first `limit` groups in this order; equal ones in ascending order of the group's keys.

    Where groups are repeated rows, the groups of the first `limit` rows.
    """

    order: tuple[OrderBy, ...]
    limit: int
