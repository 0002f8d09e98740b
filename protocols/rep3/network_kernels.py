"""Compiled loops of a merging network on planes. Rule and import as in `kernels`.

At a distance of 64 rows or more whole words meet, `distance / 64` apart. Below, rows of one
word meet: the words of the first and second half exchange bits first, so that one holds the
lower rows of both and the other the upper ones.
"""

from typing import Any

from numba import int64, njit, types, uint64, void

_IN = types.Array(uint64, 2, "C", readonly=True)
_OUT = uint64[:, ::1]
_NEAR = 16  # words; nearer than that, runs of words are too short to be worth a loop each


def _compiled(signature: Any) -> Any:
    return njit(signature, cache=True, nogil=True)


@njit(nogil=True)
def _run(at, step, pairs):  # type: ignore[no-untyped-def]
    """Return where the lower words of pairs `at` .. lie, and how many follow each other."""
    return 2 * at - at % step, min(step, pairs - at)


@njit(nogil=True)
def _near_apart(words, step, low, out, lower):  # type: ignore[no-untyped-def]
    """Set `out`, and if asked `low`, as `apart` does for words `step` apart, a power of two."""
    inside = uint64(step - 1)
    for at in range(uint64(out.size)):
        start = (at << uint64(1)) - (at & inside)
        a = words[start]
        out[at] = a ^ words[start + uint64(step)]
        if lower:
            low[at] = a


@njit(nogil=True)
def _near_together(by, step, to):  # type: ignore[no-untyped-def]
    """Change both words of each pair in place."""
    inside = uint64(step - 1)
    for at in range(uint64(by.size)):
        start = (at << uint64(1)) - (at & inside)
        to[start] ^= by[at]
        to[start + uint64(step)] ^= by[at]


@njit(nogil=True)
def _exchange(a, b, distance):  # type: ignore[no-untyped-def]
    """Swap bits of a at places with the bit `distance` for those of b at places without.

    Doing it again undoes it.
    """
    by, every = uint64(distance), ~uint64(0)
    places = every // ((uint64(1) << by) + uint64(1))
    moved = ((a >> by) ^ b) & places
    return a ^ (moved << by), b ^ moved


@_compiled(void(_IN, int64, _OUT, _OUT))
def apart(x, distance, low, difference):  # type: ignore[no-untyped-def]
    """Set the lower rows of each pair, for the first planes, and lower ^ upper for all planes."""
    for plane in range(x.shape[0]):
        words, out, same = x[plane], difference[plane], low[min(plane, low.shape[0] - 1)]
        if distance < 64:
            half = out.size
            for i in range(half):
                upper = words[half + i] if half + i < words.size else uint64(0)
                lower, upper = _exchange(words[i], upper, distance)
                out[i] = lower ^ upper
                if plane < low.shape[0]:
                    same[i] = lower
            continue
        step, at = distance // 64, 0
        if step < _NEAR:
            _near_apart(words, step, same, out, plane < low.shape[0])
            continue
        while at < out.size:
            start, span = _run(at, step, out.size)
            a, b = words[start : start + span], words[start + step : start + step + span]
            to = out[at : at + span]
            for i in range(span):
                to[i] = a[i] ^ b[i]
            if plane < low.shape[0]:
                same[at : at + span] = a
            at += span


@_compiled(void(_IN, _IN, int64, _OUT))
def together(x, change, distance, out):  # type: ignore[no-untyped-def]
    """Set `out` to x with both rows of each pair changed."""
    for plane in range(x.shape[0]):
        words, by, to = x[plane], change[plane], out[plane]
        if distance < 64:
            half = by.size
            for i in range(half):
                upper = words[half + i] if half + i < words.size else uint64(0)
                lower, upper = _exchange(words[i], upper, distance)
                to[i], upper = _exchange(lower ^ by[i], upper ^ by[i], distance)
                if half + i < words.size:
                    to[half + i] = upper
            continue
        to[:] = words
        step, at = distance // 64, 0
        if step < _NEAR:
            _near_together(by, step, to)
            continue
        while at < by.size:
            start, span = _run(at, step, by.size)
            a, b = to[start : start + span], to[start + step : start + step + span]
            change_here = by[at : at + span]
            for i in range(span):
                a[i] ^= change_here[i]
                b[i] ^= change_here[i]
            at += span
