"""Rows as one flat vector, in which whole rows can be moved and sent. Local, one half at a time.

First the bit columns, ceil(k / 8) bytes a row, padded to a word; then the integer columns.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits
from protocols.rep3.slices import bytes_to_planes, write_bytes
from protocols.rounds import U64

Order = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where `n` rows of `k` bits and `m` integers lie in their vector."""

    n: int
    k: int
    m: int

    @classmethod
    def of(cls, rows: Rows) -> "Layout":
        return cls(rows.n, rows.bits.shape[0], rows.sums.shape[0])

    @property
    def octets(self) -> int:
        """Bytes of the bit columns of a row."""
        return -(-self.k // 8)

    @property
    def bit_words(self) -> int:
        return -(-self.n * self.octets // 8)

    @property
    def words(self) -> int:
        return self.bit_words + self.m * self.n

    def pack(self, bits: U64, sums: U64) -> U64:
        """Lay out planes (k, w) and columns (m, n)."""
        flat = np.empty(self.words, dtype=np.uint64)
        flat[self.bit_words - 1 : self.bit_words] = 0
        write_bytes(bits, self.bytes(flat))
        flat[self.bit_words :] = sums.ravel()
        return flat

    def unpack(self, flat: U64) -> tuple[U64, U64]:
        """Return planes, zero past row n, and columns."""
        return bytes_to_planes(self.bytes(flat), self.k), self.columns(flat)

    def add(self, x: U64, y: U64, out: U64 | None = None) -> U64:
        """Put two parts of a sharing together: XOR the bits, add the integers."""
        total = np.empty_like(x) if out is None else out
        at = self.bit_words
        np.bitwise_xor(x[:at], y[:at], out=total[:at])
        np.add(x[at:], y[at:], out=total[at:])
        return total

    def subtract(self, x: U64, y: U64, out: U64 | None = None) -> U64:
        """Take a part away again."""
        rest = np.empty_like(x) if out is None else out
        at = self.bit_words
        np.bitwise_xor(x[:at], y[:at], out=rest[:at])
        np.subtract(x[at:], y[at:], out=rest[at:])
        return rest

    def move(self, flat: U64, order: Order) -> U64:
        """Return the rows in this order: row i of the result is row order[i]."""
        moved = np.empty_like(flat)
        moved[self.bit_words - 1 : self.bit_words] = 0  # the bytes may not fill their last word
        if self.octets:
            source, target = self.bytes(flat), self.bytes(moved)
            whole = np.dtype((np.void, self.octets))  # one take a row, not one a byte
            source.view(whole)[:, 0].take(order, out=target.view(whole)[:, 0], mode="clip")
        for column, out in zip(self.columns(flat), self.columns(moved), strict=True):
            column.take(order, out=out, mode="clip")
        return moved

    def bytes(self, flat: U64) -> NDArray[np.uint8]:
        """Return the view (n, octets) of the bit columns, plane k - 1 lowest in the first."""
        used = flat[: self.bit_words].view(np.uint8)[: self.n * self.octets]
        return used.reshape(self.n, self.octets)

    def columns(self, flat: U64) -> U64:
        """Return the view (m, n) of the integer columns."""
        return flat[self.bit_words :].reshape(self.m, self.n)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Both halves of shared rows, each laid out as one vector."""

    layout: Layout
    own: U64 = field(repr=False)
    next: U64 = field(repr=False)

    @property
    def sums(self) -> Arith:
        """Return the integer columns, (m, n)."""
        return Arith(self.layout.columns(self.own), self.layout.columns(self.next))

    def without_last_sum(self) -> "Packed":
        """Leave out the last integer column."""
        n = self.layout.n
        return Packed(replace(self.layout, m=self.layout.m - 1), self.own[:-n], self.next[:-n])

    def move(self, order: Order) -> "Packed":
        """Put rows into a public order, a permutation: row i of the result is row order[i]."""
        layout = self.layout
        return Packed(layout, layout.move(self.own, order), layout.move(self.next, order))

    def rows(self) -> Rows:
        """Unpack; bits past row n are zero."""
        own_bits, own_sums = self.layout.unpack(self.own)
        next_bits, next_sums = self.layout.unpack(self.next)
        return Rows(self.layout.n, Bits(own_bits, next_bits), Arith(own_sums, next_sums))


def inverse(order: Order) -> Order:
    """Return the permutation that undoes this one."""
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return back
