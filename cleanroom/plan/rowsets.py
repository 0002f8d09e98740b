"""The rows of each table that a question is about, so that two questions' sets can be compared.

Rule: equal and disjoint are said only where they are proven from the conditions. Whoever can't
prove it has to assume that one set differs from the other in a single person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.plan.restrictions import Restriction


@dataclass(frozen=True, slots=True, order=True)
class RowSet:
    """The rows of one table.

    Attributes:
        shape: a hash of all that is joined and of every condition in canonical form: order of
            conditions, names, whitespace and spelling change nothing.
        parts: a hash of the keys that aren't plain columns, which part the rows; "" without any.
        whole: whether all aggregates are of the same rows, as in Facts.
        chosen: conditions on this table that every row of the set fulfils.
    """

    table: str
    shape: str
    parts: str = ""
    whole: bool = True
    chosen: tuple[Restriction, ...] = ()

    def proven_apart(self, *others: "RowSet") -> bool:
        """Whether each other set is equal and parted alike, or provably shares no row."""
        mine: dict[str, list[Restriction]] = {}
        for one in self.chosen:
            mine.setdefault(one.column, []).append(one)
        column = ""  # sets are often apart in the same column
        for other in others:
            if self.shape == other.shape:
                if self.parts and other.parts and self.parts != other.parts:
                    return False
            elif not _apart_in(column, mine, other):
                found = (name for name in mine if _apart_in(name, mine, other))
                column = next(found, "")
                if not column:
                    return False
        return True


def _apart_in(column: str, mine: Mapping[str, list[Restriction]], other: RowSet) -> bool:
    for theirs in other.chosen:
        if theirs.column == column and any(_apart(own, theirs) for own in mine.get(column, ())):
            return True
    return False


def _apart(a: Restriction, b: Restriction) -> bool:
    """Whether no value fulfils both conditions on one column."""
    if a.how == b.how == "equality":
        return not set(a.values) & set(b.values)
    if a.how == b.how == "range":
        return a.high < b.low or b.high < a.low
    values, ends = (a, b) if a.how == "equality" else (b, a)
    return not any(_within(value, ends) for value in values.values)


def _within(value: str, ends: Restriction) -> bool:
    """Whether a value, encoded as in `Restriction`, lies in a range; NULL never does."""
    if value == "NULL":
        return False
    number = Fraction(value)
    return ends.low <= number <= ends.high
