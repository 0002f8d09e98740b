"""Which mock accounts a member keeps, and which of them mock payments name.

Rule: an account is at one member, and a payment is at the member that keeps its target: else a
propagation over mock rows would be refused, or find nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cleanroom.contract.terms import Terms

Numbers = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Naming:
    """A column that names accounts.

    Attributes:
        of: accounts that its member keeps, each once; or payments' sources or targets.
        members: that keep accounts.
    """

    of: Literal["account", "source", "target"]
    members: tuple[str, ...]

    def most(self, size: int, rows: int) -> int:
        """Return how many rows a member may have, of `size` accounts in all."""
        return min(rows, max(size // len(self.members), 1)) if self.of == "account" else rows

    def numbers(self, member: str, words: Numbers, size: int) -> Numbers:
        """Return which of `size` accounts each row names."""
        if self.of == "source":
            return words % np.uint64(size)
        step, rank = len(self.members), self.members.index(member)
        places = np.arange(len(words), dtype=np.uint64) if self.of == "account" else words
        return places % np.uint64(max(size // step, 1)) * np.uint64(step) + np.uint64(rank)


def namings(terms: Terms) -> Mapping[tuple[str, str], Naming]:
    """Return every column, by table and name, that names accounts of a propagation."""
    found = {}
    for of in terms.propagations.values():
        members = terms.owners(of.accounts)
        found[of.payments, of.source] = Naming("source", members)
        found[of.payments, of.target] = Naming("target", members)
        found[of.accounts, of.account] = Naming("account", members)
    return found
