"""How a plan runs on ciphertexts: which cells there are, and where each one's totals stand.

Rule: public facts that every owner and the recipient derive alike. A cell is one combination of
the values that the keys of GROUP BY may have; every owner sends a total for each of them, zeros
too, so that what it sends has one size whatever its rows are.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanroom.plan.private import Private

MAX_TOTALS = 1 << 19
"""Totals of all cells that one contributor may encrypt: 65 ciphertexts, 15 MB."""


@dataclass(frozen=True, slots=True)
class CellKey:
    """A bits column by which cells differ: its codes below `size`, and then NULL."""

    name: str
    size: int
    nullable: bool

    @property
    def choices(self) -> int:
        return self.size + self.nullable


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each value of a bits column occurs in each cell; NULL isn't counted.

    Attributes:
        size: its codes are below.
        weight: the total that says how many values a row stands for.
        meaning: of the column, for the sheet.
    """

    column: str
    size: int
    weight: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Ciphertexts:
    """The numbers that a contributor encrypts: for each total, one of every cell; then histograms.

    Attributes:
        parameters: name of the encryption's parameters.
        keys: the first is the most significant in a cell's number.
        totals: sum columns of the groups, in this order.
        present: the total that counts a cell's rows: cells without are no groups. None if there
            are no keys, for then there is one group in any case.
        reach: no number over all owners is larger, by the declared bounds.
        private: what the recipient seeks without telling; None if the query says all.
    """

    parameters: str
    keys: tuple[CellKey, ...]
    totals: tuple[str, ...]
    present: str | None
    reach: int
    histograms: tuple[Histogram, ...] = ()
    private: "Private | None" = None

    @property
    def cells(self) -> int:
        return math.prod(key.choices for key in self.keys)

    @property
    def numbers(self) -> int:
        """How many numbers a contributor encrypts, or multiplies by encrypted ones."""
        each = len(self.totals) + sum(one.size for one in self.histograms)
        return self.cells * self.values * each

    @property
    def values(self) -> int:
        """How many combinations of values private parameters tell apart; 1 without any."""
        return 1 if self.private is None else self.private.values

    @property
    def told_apart(self) -> tuple[CellKey, ...]:
        """All columns by which an owner's numbers differ; the last ones are private parameters'."""
        if self.private is None:
            return self.keys
        return (*self.keys, *(parameter.key for parameter in self.private.parameters))
