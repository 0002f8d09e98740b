"""How a plan runs on ciphertexts: which cells there are, and where each one's totals stand.

Rule: public facts that every owner and the recipient derive alike. A cell is one combination of
the values that the keys of GROUP BY may have; every owner sends a total for each of them, zeros
too, so that what it sends has one size whatever its rows are.
"""

import math
from dataclasses import dataclass

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
class Ciphertexts:
    """The numbers that a contributor encrypts: for each total, one of every cell.

    Attributes:
        parameters: name of the encryption's parameters.
        keys: the first is the most significant in a cell's number.
        totals: sum columns of the groups, in this order.
        present: the total that counts a cell's rows: cells without are no groups. None if the
            query has one group in any case, having no GROUP BY.
        reach: no total over all owners is larger, by the declared bounds.
    """

    parameters: str
    keys: tuple[CellKey, ...]
    totals: tuple[str, ...]
    present: str | None
    reach: int

    @property
    def cells(self) -> int:
        return math.prod(key.choices for key in self.keys)

    @property
    def numbers(self) -> int:
        """How many numbers a contributor encrypts."""
        return self.cells * len(self.totals)
