"""Loops that are fused and compiled: one pass where NumPy would make several.

Rule: private arithmetic on words, no randomness, no party. Each kernel stands beside its NumPy
form in the tests. Import this module where a kernel is called, not at the top of a file: an idle
process then never loads the compiler. Compiled code is kept beside this file.
"""

from typing import Any

import numpy as np
from numba import int64, njit, types, uint8, uint64, void

_OUT = uint64[::1]
_IN = types.Array(uint64, 1, "C", readonly=True)
_PLANES_IN = types.Array(uint64, 2, "C", readonly=True)
_BYTES_IN = types.Array(uint8, 2, "C", readonly=True)
_INDEX_IN = types.Array(int64, 1, "C", readonly=True)
_LANES = 8  # words of a plane that are turned at once: a line of the cache


def _compiled(*arguments: Any) -> Any:
    return njit(void(*arguments), cache=True, nogil=True)


@_compiled(*[_IN] * 6, _OUT, *[int64] * 4)
def and_block(x0, x1, y0, y1, a, b, z, start, w, x_step, y_step):  # type: ignore[no-untyped-def]
    """Set z to this party's cross terms of x & y under the masks a and b.

    Args:
        x0, x1, y0, y1: whole operands, flat, in planes of w words.
        a, b, z: the words `start` .. of the result.
        x_step, y_step: words from plane to plane; 0 repeats the first.
    """
    done = 0
    while done < z.size:
        plane, column = (start + done) // w, (start + done) % w
        span = min(w - column, z.size - done)
        at_x, at_y = plane * x_step + column, plane * y_step + column
        p0, p1 = x0[at_x : at_x + span], x1[at_x : at_x + span]
        q0, q1 = y0[at_y : at_y + span], y1[at_y : at_y + span]
        m0, m1 = a[done : done + span], b[done : done + span]
        out = z[done : done + span]
        for i in range(span):
            out[i] = (p0[i] & (q0[i] ^ q1[i])) ^ (p1[i] & q0[i]) ^ m0[i] ^ m1[i]
        done += span


@_compiled(*[_IN] * 4, _OUT, *[int64] * 4)
def and_more(x0, x1, y0, y1, z, start, w, x_step, y_step):  # type: ignore[no-untyped-def]
    """XOR this party's cross terms of a further x & y into z: as `and_block`, without masks."""
    done = 0
    while done < z.size:
        plane, column = (start + done) // w, (start + done) % w
        span = min(w - column, z.size - done)
        at_x, at_y = plane * x_step + column, plane * y_step + column
        p0, p1 = x0[at_x : at_x + span], x1[at_x : at_x + span]
        q0, q1 = y0[at_y : at_y + span], y1[at_y : at_y + span]
        out = z[done : done + span]
        for i in range(span):
            out[i] ^= (p0[i] & (q0[i] ^ q1[i])) ^ (p1[i] & q0[i])
        done += span


@_compiled(*[_IN] * 6, _OUT)
def multiply_block(x0, x1, y0, y1, a, b, z):  # type: ignore[no-untyped-def]
    """Set z to this party's cross terms of x * y plus the mask a - b."""
    for i in range(z.size):
        z[i] = x0[i] * (y0[i] + y1[i]) + x1[i] * y0[i] + a[i] - b[i]


@njit(nogil=True)
def _transpose(square):  # type: ignore[no-untyped-def]
    """Exchange bit j of word i with bit i of word j, in every lane."""
    distance, below = 32, uint64(0x00000000FFFFFFFF)
    while distance:
        by = uint64(distance)
        for start in range(0, 64, 2 * distance):
            for i in range(start, start + distance):
                for lane in range(_LANES):
                    moved = ((square[i, lane] >> by) ^ square[i + distance, lane]) & below
                    square[i + distance, lane] ^= moved
                    square[i, lane] ^= moved << by
        distance >>= 1
        below ^= below << uint64(distance)


@njit(nogil=True)
def _word(rows, row, first):  # type: ignore[no-untyped-def]
    """Return up to eight bytes of a row, the first lowest."""
    word = uint64(0)
    for b in range(min(8, rows.shape[1] - first)):
        word |= uint64(rows[row, first + b]) << uint64(8 * b)
    return word


@njit(nogil=True)
def _write_square(square, planes, first, column):  # type: ignore[no-untyped-def]
    """Turn a square and write it into the planes of which byte `first` is the lowest."""
    _transpose(square)
    lowest = planes.shape[0] - 1 - 8 * first
    for i in range(min(64, lowest + 1)):
        for lane in range(min(_LANES, planes.shape[1] - column)):
            planes[lowest - i, column + lane] = square[i, lane]


@_compiled(_PLANES_IN, uint8[:, ::1])
def planes_to_bytes(planes, rows):  # type: ignore[no-untyped-def]
    """Set (n, ceil(k / 8)) bytes to what k planes, plane 0 most significant, hold for n rows."""
    k, w = planes.shape
    n, c = rows.shape
    square = np.zeros((64, _LANES), dtype=np.uint64)
    for first in range(0, c, 8):
        lowest, many = k - 1 - 8 * first, min(8, c - first)
        for column in range(0, w, _LANES):
            lanes = min(_LANES, w - column)
            square[:] = 0
            for i in range(min(64, lowest + 1)):
                for lane in range(lanes):
                    square[i, lane] = planes[lowest - i, column + lane]
            _transpose(square)
            for lane in range(lanes):
                start = 64 * (column + lane)
                for r in range(min(64, n - start)):
                    word = square[r, lane]
                    for b in range(many):
                        rows[start + r, first + b] = uint8((word >> uint64(8 * b)) & uint64(255))


@_compiled(_BYTES_IN, uint64[:, ::1])
def bytes_to_planes(rows, planes):  # type: ignore[no-untyped-def]
    """Set k planes, zero past row n, to the low bits of (n, c) bytes: the way back."""
    square = np.zeros((64, _LANES), dtype=np.uint64)
    for first in range(0, (planes.shape[0] + 7) // 8, 8):
        for column in range(0, planes.shape[1], _LANES):
            square[:] = 0
            for lane in range(min(_LANES, planes.shape[1] - column)):
                start = 64 * (column + lane)
                for r in range(min(64, rows.shape[0] - start)):
                    square[r, lane] = _word(rows, start + r, first)
            _write_square(square, planes, first, column)


@_compiled(_PLANES_IN, _INDEX_IN, uint64[:, ::1], uint64[:, ::1])
def picked_planes(words, order, own, following):  # type: ignore[no-untyped-def]
    """Set planes, zero past the last row, to words[order]: both halves of a share at once.

    Args:
        words: c words, the lowest bits first, of the one half, then of the other; others behind
            them are ignored.
    """
    square = np.zeros((64, _LANES), dtype=np.uint64)
    c = (own.shape[0] + 63) // 64
    for column in range(0, own.shape[1], _LANES):
        lanes = min(_LANES, own.shape[1] - column)
        for half in range(2):
            planes = following if half else own
            for part in range(c):
                square[:] = 0
                for lane in range(lanes):
                    start = 64 * (column + lane)
                    for r in range(min(64, order.size - start)):
                        square[r, lane] = words[uint64(order[start + r]), c * half + part]
                _write_square(square, planes, 8 * part, column)
