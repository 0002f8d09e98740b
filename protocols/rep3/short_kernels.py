"""Compiled loops over short integers: matrix products mod 2^16, and bytes turned into planes.

Rule: private arithmetic, no randomness, no party. Each kernel stands beside its NumPy form in the
tests. Import this module where a kernel is called, not at the top of a file.
"""

from typing import Any

import numpy as np
from numba import njit, types, uint8, uint16, uint64, void

_FACTOR = types.Array(uint16, 2, "C", readonly=True)
_OCTETS = types.Array(uint8, 1, "C", readonly=True)
_SPAN = 256  # columns whose sums, and factors for some terms, stay in the nearest cache
_TERMS = 8  # products that are added up before a sum is written


def _compiled(*arguments: Any) -> Any:
    return njit(void(*arguments), cache=True, nogil=True)


@_compiled(_FACTOR, _FACTOR, uint16[:, ::1])
def add_products(x, y, sums):  # type: ignore[no-untyped-def]
    """Add to sums, (m, n), the products of the columns of x, (d, m), and of y, (d, n), mod 2^16.

    Args:
        x, y: of a multiple of 8 rows.
    """
    for start in range(0, y.shape[1], _SPAN):
        stop = min(start + _SPAN, y.shape[1])
        for k in range(0, x.shape[0], _TERMS):
            y0, y1 = y[k, start:stop], y[k + 1, start:stop]
            y2, y3 = y[k + 2, start:stop], y[k + 3, start:stop]
            y4, y5 = y[k + 4, start:stop], y[k + 5, start:stop]
            y6, y7 = y[k + 6, start:stop], y[k + 7, start:stop]
            for i in range(x.shape[1]):
                a0, a1, a2, a3 = x[k, i], x[k + 1, i], x[k + 2, i], x[k + 3, i]
                a4, a5, a6, a7 = x[k + 4, i], x[k + 5, i], x[k + 6, i], x[k + 7, i]
                out = sums[i, start:stop]
                for j in range(out.size):
                    low = a0 * y0[j] + a1 * y1[j] + a2 * y2[j] + a3 * y3[j]
                    high = a4 * y4[j] + a5 * y5[j] + a6 * y6[j] + a7 * y7[j]
                    out[j] += uint16(low + high)


@_compiled(_FACTOR, _FACTOR, uint16[:, ::1])
def add_near_products(x, y, sums):  # type: ignore[no-untyped-def]
    """Add to sums[i, j] the product of column j of x and column j + 1 + i of y, mod 2^16.

    Args:
        x, y: (d, n) and (d, n + m or more), d a multiple of 8.
        sums: (m, n).
    """
    for start in range(0, x.shape[1], _SPAN):
        stop = min(start + _SPAN, x.shape[1])
        for k in range(0, x.shape[0], _TERMS):
            x0, x1 = x[k, start:stop], x[k + 1, start:stop]
            x2, x3 = x[k + 2, start:stop], x[k + 3, start:stop]
            x4, x5 = x[k + 4, start:stop], x[k + 5, start:stop]
            x6, x7 = x[k + 6, start:stop], x[k + 7, start:stop]
            for i in range(sums.shape[0]):
                a, b = start + 1 + i, stop + 1 + i
                y0, y1, y2, y3 = y[k, a:b], y[k + 1, a:b], y[k + 2, a:b], y[k + 3, a:b]
                y4, y5, y6, y7 = y[k + 4, a:b], y[k + 5, a:b], y[k + 6, a:b], y[k + 7, a:b]
                out = sums[i, start:stop]
                for j in range(out.size):
                    low = x0[j] * y0[j] + x1[j] * y1[j] + x2[j] * y2[j] + x3[j] * y3[j]
                    high = x4[j] * y4[j] + x5[j] * y5[j] + x6[j] * y6[j] + x7[j] * y7[j]
                    out[j] += uint16(low + high)


@njit(nogil=True)
def _swap(a, b, by, low):  # type: ignore[no-untyped-def]
    """Exchange the high part of each field of a with the low part of b."""
    moved = ((a >> by) ^ b) & low
    return a ^ (moved << by), b ^ moved


@njit(nogil=True)
def _across(square, distance, by, low):  # type: ignore[no-untyped-def]
    for i in range(8):
        if not i & distance:
            square[i], square[i + distance] = _swap(square[i], square[i + distance], by, low)


@njit(nogil=True)
def _within(word, by, low):  # type: ignore[no-untyped-def]
    moved = (word ^ (word >> by)) & low
    return word ^ moved ^ (moved << by)


@_compiled(_OCTETS, uint64[:, ::1])
def octets_to_planes(octets, planes):  # type: ignore[no-untyped-def]
    """Set eight planes, the most significant first, to the bits of 64 bytes a word."""
    square = np.empty(8, dtype=np.uint64)
    words = octets.view(np.uint64)
    for column in range(planes.shape[1]):
        for i in range(8):
            word = words[8 * column + i]
            word = _within(word, uint64(7), uint64(0x00AA00AA00AA00AA))
            word = _within(word, uint64(14), uint64(0x0000CCCC0000CCCC))
            square[i] = _within(word, uint64(28), uint64(0x00000000F0F0F0F0))
        _across(square, 4, uint64(32), uint64(0x00000000FFFFFFFF))
        _across(square, 2, uint64(16), uint64(0x0000FFFF0000FFFF))
        _across(square, 1, uint64(8), uint64(0x00FF00FF00FF00FF))
        for bit in range(8):
            planes[7 - bit, column] = square[bit]
