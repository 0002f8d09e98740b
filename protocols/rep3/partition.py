"""Which rows a quicksort compares next, and where they go: public arithmetic on positions.

Every segment of a level is treated at once. A segment begins with a sorted sample of itself.
Its middle is the pivot; a stable partition leaves both parts with a sorted half of the sample
in front. When a sample is used up, a new one is sorted by comparing all its pairs.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.packed import Order
from protocols.rounds import U64

Flags = NDArray[np.bool_]

SMALL = 8  # segments up to this are finished by comparing all pairs: more gates, fewer rounds


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """How far a quicksort is.

    Attributes:
        order: the row at each position.
        rows: what is known of the rows at unsorted positions, and last their number: (n, c).
        segments: a line (start, size, sampled, sorting) for each stretch of positions that is
            still unsorted, but in order among the others: so many rows at its front are sorted,
            or will be now.
    """

    order: Order
    rows: U64 = field(repr=False)
    segments: Order
    _spare: U64 = field(repr=False)

    @classmethod
    def start(cls, keys: U64, lists: int = 1) -> "Ranking":
        """Begin with rows in the order of `keys`, (n, c): so many lists of equal size."""
        n = keys.shape[0]
        rows, size = np.column_stack([keys, np.arange(n, dtype=np.uint64)]), n // lists
        whole = np.zeros((lists if size > 1 else 0, 3), dtype=np.intp)
        whole[:, 0], whole[:, 1] = size * np.arange(whole.shape[0]), size
        return cls(np.arange(n), rows, _sampled(whole), np.empty_like(rows))

    @property
    def done(self) -> bool:
        return self.segments.size == 0

    def pairs(self) -> tuple[Order, Order]:
        """Return the positions to compare, left with right."""
        from protocols.rep3 import partition_kernels as kernels

        left, right = np.empty((2, kernels.count_pairs(self.segments)), dtype=np.intp)
        kernels.write_pairs(self.segments, left, right)
        return left, right

    def after(self, less: Flags) -> "Ranking":
        """Return how far it is once it is known whether left < right. This one is used up."""
        from protocols.rep3 import partition_kernels as kernels

        parts = np.empty((2 * self.segments.shape[0] + 1, 3), dtype=np.intp)
        found = kernels.rearrange(self.segments, less, self.rows, self._spare, parts)
        kernels.note_order(self.segments, self._spare, self.order)
        return Ranking(self.order, self._spare, _sampled(parts[:found]), self.rows)


def _sampled(parts: Order) -> Order:
    """Give a new sample to parts (start, size, sampled) that have none, and mark them."""
    start, size, sampled = parts.T
    sorting = sampled == 0
    return np.column_stack([start, size, np.where(sorting, _sample_sizes(size), sampled), sorting])


def _sample_sizes(sizes: Order) -> Order:
    """Return all of a small segment, else the largest 2^i - 1 whose square isn't above the size."""
    powers = 2 ** np.floor(np.log2(np.sqrt(np.maximum(sizes, 1)) + 1)).astype(np.intp)
    return np.where(sizes <= SMALL, sizes, powers - 1)
