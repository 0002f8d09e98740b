"""Rows as one flat vector, in which whole rows can be moved and sent. Local, one half at a time.

First the bit columns, ceil(k / 8) bytes a row, padded to a word; then the integer columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits
from protocols.rep3.slices import bytes_to_planes, planes_to_bytes
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
        flat = np.zeros(self.words, dtype=np.uint64)
        self._bytes(flat)[:] = planes_to_bytes(bits, self.n)
        flat[self.bit_words :] = sums.ravel()
        return flat

    def unpack(self, flat: U64) -> tuple[U64, U64]:
        """Return planes, zero past row n, and columns."""
        return bytes_to_planes(self._bytes(flat), self.k), self._columns(flat)

    def rows(self, own: U64, following: U64) -> Rows:
        """Unpack two halves into rows."""
        (own_bits, own_sums), (next_bits, next_sums) = self.unpack(own), self.unpack(following)
        return Rows(self.n, Bits(own_bits, next_bits), Arith(own_sums, next_sums))

    def add(self, x: U64, y: U64) -> U64:
        """Put two parts of a sharing together: XOR the bits, add the integers."""
        total = np.empty_like(x)
        at = self.bit_words
        np.bitwise_xor(x[:at], y[:at], out=total[:at])
        np.add(x[at:], y[at:], out=total[at:])
        return total

    def subtract(self, x: U64, y: U64) -> U64:
        """Take a part away again."""
        rest = np.empty_like(x)
        at = self.bit_words
        np.bitwise_xor(x[:at], y[:at], out=rest[:at])
        np.subtract(x[at:], y[at:], out=rest[at:])
        return rest

    def move(self, flat: U64, order: Order) -> U64:
        """Return the rows in this order: row i of the result is row order[i]."""
        moved = np.zeros_like(flat)
        if self.octets:
            source, target = self._bytes(flat), self._bytes(moved)
            whole = np.dtype((np.void, self.octets))  # one take a row, not one a byte
            target[:] = source.view(whole)[:, 0].take(order).view(np.uint8).reshape(target.shape)
        for column, out in zip(self._columns(flat), self._columns(moved), strict=True):
            column.take(order, out=out, mode="clip")
        return moved

    def _bytes(self, flat: U64) -> NDArray[np.uint8]:
        used = flat[: self.bit_words].view(np.uint8)[: self.n * self.octets]
        return used.reshape(self.n, self.octets)

    def _columns(self, flat: U64) -> U64:
        return flat[self.bit_words :].reshape(self.m, self.n)


def pack_all(rows: Rows) -> tuple[Layout, U64, U64]:
    """Return both halves of rows as vectors, and their layout."""
    layout = Layout.of(rows)
    own = layout.pack(rows.bits.own, rows.sums.own)
    return layout, own, layout.pack(rows.bits.next, rows.sums.next)


def take(rows: Rows, order: Order) -> Rows:
    """Put rows into a public order, a permutation: row i of the result is row order[i]."""
    layout, own, following = pack_all(rows)
    return layout.rows(layout.move(own, order), layout.move(following, order))


def inverse(order: Order) -> Order:
    """Return the permutation that undoes this one."""
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return back
