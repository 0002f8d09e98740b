"""Compiled loops over a quicksort's segments: public positions. Rule and import as in `kernels`.

A segment is a row (start, size, sampled, sorting) of int64: `sampled` rows at its front are, or
with `sorting` become, a sorted sample of it; without, they pivot on their middle.
"""

from typing import Any

import numpy as np
from numba import boolean, int64, njit, types, uint64, void

_INDEX = int64[::1]
_ROWS = uint64[:, ::1]
_SEGMENTS = types.Array(int64, 2, "C", readonly=True)
_FLAGS = types.Array(boolean, 1, "C", readonly=True)


def _compiled(signature: Any) -> Any:
    return njit(signature, cache=True, nogil=True)


@_compiled(int64(_SEGMENTS))
def count_pairs(segments):  # type: ignore[no-untyped-def]
    """Return how many comparisons the segments need now."""
    total = 0
    for i in range(segments.shape[0]):
        _, size, sampled, sorting = segments[i]
        total += sampled * (sampled - 1) // 2 if sorting else size - sampled
    return total


@_compiled(void(_SEGMENTS, _INDEX, _INDEX))
def write_pairs(segments, left, right):  # type: ignore[no-untyped-def]
    """Set left and right to positions to compare: all of a sample, or pivot and the rest."""
    at = 0
    for i in range(segments.shape[0]):
        start, size, sampled, sorting = segments[i]
        pivot = start + sampled // 2
        for a in range(start if sorting else pivot, start + sampled if sorting else pivot + 1):
            others = (a + 1, start + sampled) if sorting else (start + sampled, start + size)
            for b in range(others[0], others[1]):
                left[at], right[at] = a, b
                at += 1


@njit(nogil=True)
def _move(source, at, target, to):  # type: ignore[no-untyped-def]
    for word in range(source.shape[1]):
        target[to, word] = source[at, word]


@njit(nogil=True)
def _rank(rows, out, less):  # type: ignore[no-untyped-def]
    """Put rows where their comparisons with all others say."""
    n, pair = rows.shape[0], 0
    beaten = np.zeros(n, dtype=np.int64)
    for a in range(n):
        for b in range(a + 1, n):
            beaten[b if less[pair] else a] += 1
            pair += 1
    for a in range(n):
        _move(rows, a, out, beaten[a])


@njit(nogil=True)
def _split(rows, out, sampled, less):  # type: ignore[no-untyped-def]
    """Put rows below the pivot before it and the others after it, stably; return its place."""
    half, rest = sampled // 2, rows.shape[0] - sampled
    below = half
    for i in range(rest):
        below += not less[i]
    for i in range(half):
        _move(rows, i, out, i)
    low, high = half, below
    for i in range(half, sampled):
        _move(rows, i, out, high)
        high += 1
    for i in range(rest):
        if less[i]:
            _move(rows, sampled + i, out, high)
            high += 1
        else:
            _move(rows, sampled + i, out, low)
            low += 1
    return below


@njit(nogil=True)
def _add(parts, found, start, size, sampled):  # type: ignore[no-untyped-def]
    """Note a part unless it is in order already."""
    parts[found, 0], parts[found, 1], parts[found, 2] = start, size, sampled
    return found + (size > 1 and sampled < size)


@_compiled(int64(_SEGMENTS, _FLAGS, _ROWS, _ROWS, int64[:, ::1]))
def rearrange(segments, less, rows, moved, parts):  # type: ignore[no-untyped-def]
    """Move rows by the answers, given whether left < right.

    Args:
        rows, moved: by position, before and after; outside of the segments `moved` isn't set.
        parts: gets (start, size, sampled) of what is left to sort.

    Returns:
        how many parts there are.
    """
    at = found = 0
    for i in range(segments.shape[0]):
        start, size, sampled, sorting = segments[i]
        before, after = rows[start : start + size], moved[start : start + size]
        if sorting:
            _rank(before[:sampled], after, less[at:])
            for a in range(sampled, size):
                _move(before, a, after, a)
            at += sampled * (sampled - 1) // 2
            found = _add(parts, found, start, size, sampled)
        else:
            half, below = sampled // 2, _split(before, after, sampled, less[at:])
            at += size - sampled
            found = _add(parts, found, start, below, half)
            found = _add(parts, found, start + below + 1, size - below - 1, sampled - 1 - half)
    return found


@_compiled(void(_SEGMENTS, _ROWS, _INDEX))
def note_order(segments, rows, order):  # type: ignore[no-untyped-def]
    """Set the order at the segments' positions to the last word of the rows there."""
    for i in range(segments.shape[0]):
        for position in range(segments[i, 0], segments[i, 0] + segments[i, 1]):
            order[position] = int64(rows[position, rows.shape[1] - 1])
