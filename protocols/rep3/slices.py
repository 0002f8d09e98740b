"""Between rows and bit planes: local transposition of bits, 64 rows a word.

A row's k bits, most significant first, are k planes; or a number of k bits in c 64-bit words,
most significant word first, the odd bits in the first; or in ceil(k / 8) bytes, least
significant first, which is the form that permutations move and the wire carries.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.share import words_for
from protocols.rounds import U64

Bytes = NDArray[np.uint8]
_SWAPS = [(np.uint64(by), np.uint64(2**64 // (2**by + 1))) for by in (4, 2, 1)]  # within bytes


def to_planes(words: U64, bits: int) -> U64:
    """Turn rows into planes.

    Args:
        words: shape (n,) or (n, c), 64c >= bits; what lies above the low `bits` is ignored.

    Returns:
        shape (bits, words_for(n)), zero past row n.
    """
    rows = words if words.ndim == 2 else words[:, None]
    little = np.ascontiguousarray(rows[:, ::-1], dtype="<u8").view(np.uint8)
    return bytes_to_planes(little, bits)


def from_planes(planes: U64, n: int) -> U64:
    """Turn at most 64 planes into one word a row, shape (n,)."""
    if planes.shape[0] > 64:
        raise ValueError(f"{planes.shape[0]} planes don't fit a word")
    word: U64 = rows_from_planes(planes, n).sum(axis=1, dtype=np.uint64)
    return word


def rows_from_planes(planes: U64, n: int) -> U64:
    """Turn k planes into ceil(k / 64) words a row, shape (n, c): the inverse of `to_planes`."""
    few = planes_to_bytes(planes, n)
    c = words_for(planes.shape[0])
    little = np.zeros((n, 8 * c), dtype=np.uint8)
    little[:, : few.shape[1]] = few
    return np.ascontiguousarray(little.view("<u8")[:, ::-1])


def planes_to_bytes(planes: U64, n: int) -> Bytes:
    """Turn k planes into ceil(k / 8) bytes a row, shape (n, c)."""
    rows = np.empty((n, -(-planes.shape[0] // 8)), dtype=np.uint8)
    write_bytes(planes, rows)
    return rows


def write_bytes(planes: U64, rows: Bytes) -> None:
    """Set the bytes (n, ceil(k / 8)) to what k planes hold."""
    from protocols.rep3 import kernels

    kernels.planes_to_bytes(np.ascontiguousarray(planes), rows)


def bytes_to_planes(rows: Bytes, k: int) -> U64:
    """Turn the low k bits of (n, c) bytes into planes, zero past row n: the way back."""
    from protocols.rep3 import kernels

    planes = np.empty((k, words_for(rows.shape[0])), dtype=np.uint64)
    kernels.bytes_to_planes(np.ascontiguousarray(rows), planes)
    return planes


def append_planes(a: U64, a_n: int, b: U64, b_n: int) -> U64:
    """Put b_n rows after a_n rows, both in k planes; bits past the last row are arbitrary."""
    if a_n % 64 == 0:
        return np.concatenate([a, b], axis=1)
    rows = np.concatenate([planes_to_bytes(a, a_n), planes_to_bytes(b, b_n)])
    return bytes_to_planes(rows, a.shape[0])


def reversed_rows(planes: U64) -> U64:
    """Put 64 w rows in planes (k, w) backwards."""
    words: U64 = planes[:, ::-1].byteswap()
    for by, low in _SWAPS:
        kept = words & low
        kept <<= by
        words >>= by
        words &= low
        words |= kept
    return words
