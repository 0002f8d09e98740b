"""Pairs of a row and one of the rows that follow it: a band beside the diagonal of a matrix.

Rule: local moves only. Planes of a band are (k, m w), for m distances from 1 on and 64 w rows: the
pairs of one distance lie together, each where its first row is.
"""

from collections.abc import Callable

import numpy as np

from protocols.rep3.share import Bits
from protocols.rounds import U64


def later(x: Bits, by: int) -> Bits:
    """Give each row the bits of the row so many behind it, zeros where there is none."""
    return _each(lambda planes: _up(planes, by), x)


def earlier(x: Bits, by: int) -> Bits:
    """Give each row the bits of the row so many before it, zeros where there is none."""
    return _each(lambda planes: _down(planes, by), x)


def of_firsts(x: Bits, m: int) -> Bits:
    """Give pairs the bits of their first rows: planes (k, w) to (k, m w)."""
    return _each(lambda planes: np.tile(planes, m), x)


def of_seconds(x: Bits, m: int) -> Bits:
    """Give pairs the bits of their second rows: planes (k, w) to (k, m w)."""
    return _each(lambda planes: np.hstack([_up(planes, 1 + i) for i in range(m)]), x)


def both_ways(band: Bits, m: int) -> Bits:
    """Return pairs where their first rows are and, behind, where their second are: (k, 2 m w)."""
    return _each(lambda planes: np.hstack([planes, _at_seconds(planes, m)]), band)


def of_distance(band: Bits, i: int, w: int) -> Bits:
    """Return the planes of one distance, 1 + i: (k, w)."""
    return band[:, i * w : (i + 1) * w]


def linked_rows(match: Bits, m: int) -> Bits:
    """Tell which rows are in a pair, (1, w), of pairs of which no two share a row."""

    def parities(planes: U64) -> U64:
        odd: U64 = np.bitwise_xor.reduce(planes.reshape(2 * m, -1), axis=0)
        return odd[None]

    return _each(parities, both_ways(match, m))


def _at_seconds(planes: U64, m: int) -> U64:
    return np.hstack([_down(part, 1 + i) for i, part in enumerate(np.hsplit(planes, m))])


def _up(planes: U64, by: int) -> U64:
    words, bits = divmod(by, 64)
    out = np.zeros_like(planes)
    moved = planes[:, words:]
    out[:, : moved.shape[1]] = moved >> np.uint64(bits)
    if bits:
        out[:, : max(0, moved.shape[1] - 1)] |= moved[:, 1:] << np.uint64(64 - bits)
    return out


def _down(planes: U64, by: int) -> U64:
    words, bits = divmod(by, 64)
    out = np.zeros_like(planes)
    moved = planes[:, : planes.shape[1] - words]
    out[:, words:] = moved << np.uint64(bits)
    if bits:
        out[:, words + 1 :] |= moved[:, :-1] >> np.uint64(64 - bits)
    return out


def _each(move: Callable[[U64], U64], x: Bits) -> Bits:
    return Bits(move(x.own), move(x.next))
