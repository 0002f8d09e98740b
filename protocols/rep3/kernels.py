"""Loops that are fused and compiled: one pass where NumPy would make several.

Rule: private arithmetic on words, no randomness, no party. Each kernel stands beside its NumPy
form in the tests. Import this module where a kernel is called, not at the top of a file: an idle
process then never loads the compiler. Compiled code is kept beside this file.
"""

from typing import Any

from numba import int64, njit, types, uint64, void

_OUT = uint64[::1]
_IN = types.Array(uint64, 1, "C", readonly=True)


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


@_compiled(*[_IN] * 6, _OUT)
def multiply_block(x0, x1, y0, y1, a, b, z):  # type: ignore[no-untyped-def]
    """Set z to this party's cross terms of x * y plus the mask a - b."""
    for i in range(z.size):
        z[i] = x0[i] * (y0[i] + y1[i]) + x1[i] * y0[i] + a[i] - b[i]
