"""Secret rows: the unit that shuffles, sorts and joins move about."""

from dataclasses import dataclass

import numpy as np

from protocols.rep3.share import Arith, Bits, words_for


@dataclass(frozen=True, slots=True)
class Rows:
    """`n` rows under sharing: bit columns as planes, integer columns as sums.

    Attributes:
        n: public number of rows.
        bits: shape (k, words_for(n)); bits past row n are arbitrary.
        sums: shape (m, n).
    """

    n: int
    bits: Bits
    sums: Arith

    def __post_init__(self) -> None:
        if self.bits.shape[1:] != (words_for(self.n),) or self.sums.shape[1:] != (self.n,):
            raise ValueError(f"{self.bits} and {self.sums} are not columns of {self.n} rows")


def no_bits(n: int) -> Bits:
    """Return zero bit columns of n rows."""
    empty = np.zeros((0, words_for(n)), dtype=np.uint64)
    return Bits(empty, empty)


def no_sums(n: int) -> Arith:
    """Return zero integer columns of n rows."""
    empty = np.zeros((0, n), dtype=np.uint64)
    return Arith(empty, empty)


def empty_rows(like: Rows, n: int) -> Rows:
    """Return n rows of zeros with the columns of `like`."""
    bits = np.zeros((like.bits.shape[0], words_for(n)), dtype=np.uint64)
    sums = np.zeros((like.sums.shape[0], n), dtype=np.uint64)
    return Rows(n, Bits(bits, bits), Arith(sums, sums))
