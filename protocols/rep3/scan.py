"""Steps along the row order that need no message: neighbours, running sums, running XORs."""

import numpy as np

from protocols.rep3.share import Arith, Bits, public_bits
from protocols.rounds import U64, Party

_ONE, _TOP = np.uint64(1), np.uint64(63)


def previous_row(x: Bits) -> Bits:
    """Give each row the bits of the row before it; row 0 gets zeros."""
    return Bits(_down(x.own), _down(x.next))


def next_row(x: Bits) -> Bits:
    """Give each row the bits of the row after it; the last of the padded rows gets zeros."""
    return Bits(_up(x.own), _up(x.next))


def last_rows(me: Party, same: Bits) -> Bits:
    """Mark the last row of each segment; `same`, one plane: a row belongs to the one before."""
    last: U64 = np.zeros(same.shape, dtype=np.uint64)
    last[0, -1] = _ONE << _TOP  # next_row leaves it zero
    return next_row(same.flip(me)) ^ public_bits(me, last)


def running_xor(x: Bits) -> Bits:
    """Give each row the XOR of all rows up to and including itself, plane by plane."""
    return Bits(_prefix(x.own), _prefix(x.next))


def undo_running_xor(x: Bits) -> Bits:
    """Give each row its XOR with the row before: the inverse of `running_xor`."""
    return x ^ previous_row(x)


def running_sum(x: Arith) -> Arith:
    """Give each row the sum mod 2^64 of all rows up to and including itself, column by column."""
    return Arith(np.cumsum(x.own, axis=-1), np.cumsum(x.next, axis=-1))


def undo_running_sum(x: Arith) -> Arith:
    """Give each row its difference to the row before: the inverse of `running_sum`."""
    return Arith(_differences(x.own), _differences(x.next))


def _down(planes: U64) -> U64:
    out: U64 = planes << _ONE
    out[:, 1:] |= planes[:, :-1] >> _TOP
    return out


def _up(planes: U64) -> U64:
    out: U64 = planes >> _ONE
    out[:, :-1] |= planes[:, 1:] << _TOP
    return out


def _prefix(planes: U64) -> U64:
    out = planes.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        out ^= out << np.uint64(distance)
    carry = np.bitwise_xor.accumulate(out >> _TOP, axis=1)
    out[:, 1:] ^= np.uint64(0) - carry[:, :-1]
    return out


def _differences(columns: U64) -> U64:
    out = columns.copy()
    out[..., 1:] -= columns[..., :-1]
    return out
