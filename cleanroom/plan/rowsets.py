"""The rows of each table that a question is about, so that two questions' sets can be compared.

Rule: equal and disjoint are said only where they are proven from the conditions. Whoever can't
prove it has to assume that one set differs from the other in a single person.
"""

from dataclasses import dataclass
from fractions import Fraction

from cleanroom.plan.restrictions import Base, Restriction


@dataclass(frozen=True, slots=True, order=True)
class RowSet:
    """The rows of one table.

    Attributes:
        shape: a hash of all that is joined and of every condition in canonical form: order of
            conditions, names, whitespace and spelling change nothing.
        parts: a hash of the keys that aren't plain columns, which part the rows; "" without any.
        whole: whether no aggregate chooses among the rows by itself, with FILTER or CASE.
        chosen: conditions that every row of the set fulfils.
    """

    table: str
    shape: str
    parts: str = ""
    whole: bool = True
    chosen: tuple[Restriction, ...] = ()

    def proven_apart(self, other: "RowSet") -> bool:
        """Whether the sets are equal, parted alike, or provably share no row."""
        if self.shape == other.shape:
            return not (self.parts and other.parts) or self.parts == other.parts
        mine, theirs = _by_column(self.chosen), _by_column(other.chosen)
        return any(_disjoint(mine[base], theirs[base]) for base in mine.keys() & theirs.keys())


def _by_column(chosen: tuple[Restriction, ...]) -> dict[Base, list[Restriction]]:
    found: dict[Base, list[Restriction]] = {}
    for one in chosen:
        found.setdefault(one.base, []).append(one)
    return found


def _disjoint(some: list[Restriction], others: list[Restriction]) -> bool:
    return any(_apart(a, b) for a in some for b in others)


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
