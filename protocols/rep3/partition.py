"""Which rows a quicksort compares next, and where they go: public arithmetic on positions.

Every segment of a level is treated at once. A segment begins with a sorted sample of itself.
Its middle is the pivot; a stable partition leaves both parts with a sorted half of the sample
in front. When a sample is used up, a new one is sorted by comparing all its pairs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.packed import Order

Flags = NDArray[np.bool_]

SMALL = 8  # segments up to this are finished by comparing all pairs: more gates, fewer rounds


@dataclass(frozen=True, slots=True)
class Segments:
    """Stretches of positions that are still unsorted, but in order among themselves."""

    starts: Order
    sizes: Order
    sampled: Order  # so many rows at the front are sorted; fewer than the size

    @classmethod
    def whole(cls, n: int) -> "Segments":
        return cls(np.zeros(1, np.intp), np.full(1, n), np.zeros(1, np.intp)).unfinished()

    def unfinished(self) -> "Segments":
        left = (self.sizes > 1) & (self.sampled < self.sizes)
        return Segments(self.starts[left], self.sizes[left], self.sampled[left])


@dataclass(frozen=True, slots=True)
class Level:
    """One level: positions `left` and `right` to compare, and how to go on from the answers.

    Attributes:
        sorting: per segment, whether it sorts `sampled` front rows now, or else is partitioned.
        segment, offset: per position in a segment, which one it is in and how far from its start.
    """

    segments: Segments
    sorting: Flags
    segment: Order
    offset: Order
    left: Order
    right: Order

    @classmethod
    def of(cls, before: Segments) -> "Level":
        sorting = before.sampled == 0
        sampled = np.where(sorting, _sample_sizes(before.sizes), before.sampled)
        segments = Segments(before.starts, before.sizes, sampled)

        segment = np.repeat(np.arange(before.sizes.size), before.sizes)
        offset = _counted(before.sizes)
        s, now = sampled[segment], sorting[segment]
        of_pivot = np.where(offset == s // 2, before.sizes[segment] - s, 0)
        partners = np.where(now, np.maximum(s - 1 - offset, 0), of_pivot)
        start = before.starts[segment]
        position = start + offset
        left = np.repeat(position, partners)
        right = np.repeat(np.where(now, position + 1, start + s), partners) + _counted(partners)
        return cls(segments, sorting, segment, offset, left, right)

    def moves(self, n: int, less: Flags) -> tuple[Order, Order]:
        """Return positions, and where the rows there go, given whether left < right."""
        position = self.segments.starts[self.segment] + self.offset
        beaten = np.bincount(self.right[less], minlength=n)
        beaten += np.bincount(self.left[~less], minlength=n)
        sampled, sorting = self.segments.sampled[self.segment], self.sorting[self.segment]
        rank = np.where(self.offset < sampled, beaten[position], self.offset)
        return position, position - self.offset + np.where(sorting, rank, self._sides(beaten))

    def after(self, n: int, less: Flags) -> Segments:
        """Return what is left to do."""
        s, cut = self.segments, ~self.sorting
        half = s.sampled[cut] // 2
        beaten = np.bincount(self.left[~less], minlength=n)  # of a pivot: how many are below it
        below = half + beaten[s.starts[cut] + half]
        parts = (
            Segments(s.starts[self.sorting], s.sizes[self.sorting], s.sampled[self.sorting]),
            Segments(s.starts[cut], below, half),
            Segments(
                s.starts[cut] + below + 1, s.sizes[cut] - below - 1, s.sampled[cut] - 1 - half
            ),
        )
        starts, sizes, sampled = (
            np.concatenate([getattr(part, field) for part in parts])
            for field in ("starts", "sizes", "sampled")
        )
        return Segments(starts, sizes, sampled).unfinished()

    def _sides(self, beaten: Order) -> Order:
        """Return offsets after a stable partition: rows below the pivot, the pivot, the others."""
        s = self.segments
        position = s.starts[self.segment] + self.offset
        pivot = (s.sampled // 2)[self.segment]
        in_sample = self.offset < s.sampled[self.segment]
        above = np.where(in_sample, self.offset > pivot, beaten[position] > 0)
        below = ~above & (self.offset != pivot)
        before = np.cumsum(below) - below
        first = np.cumsum(s.sizes) - s.sizes
        before -= before[first][self.segment]
        count = np.add.reduceat(below, first, dtype=np.intp)[self.segment]
        others = self.offset - before + count + (self.offset < pivot)
        return np.where(below, before, np.where(self.offset == pivot, count, others))


def _sample_sizes(sizes: Order) -> Order:
    """Return all of a small segment, else the largest 2^i - 1 whose square isn't above the size."""
    powers = 2 ** np.floor(np.log2(np.sqrt(np.maximum(sizes, 1)) + 1)).astype(np.intp)
    return np.where(sizes <= SMALL, sizes, powers - 1)


def _counted(counts: Order) -> Order:
    """Return 0 .. c - 1 for each c, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
