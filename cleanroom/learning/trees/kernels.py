"""Compiled loops over rows and bins of a tree.

Rule: whole numbers are added, so no order of rows changes a sum. Import this module where a kernel
is called, not at the top of a file. Compiled code is kept beside this file.
"""

from typing import Any

import numpy as np
from numba import boolean, float64, int64, njit, types, uint8, void

_CODES = types.Array(uint8, 2, "C", readonly=True)
_FLOATS_IN = types.Array(float64, 1, "C", readonly=True)
_INTS_IN = types.Array(int64, 1, "C", readonly=True)
_INTS_2_IN = types.Array(int64, 2, "C", readonly=True)
_MAX_SCORE = 32.0


def _compiled(signature: Any) -> Any:
    return njit(signature, cache=True, nogil=True, error_model="numpy")


@_compiled(int64(_FLOATS_IN, _FLOATS_IN, boolean, float64, int64[:, ::1]))
def gradients(score, target, logistic, scale, out):  # type: ignore[no-untyped-def]
    """Set (n, 2) to first and second derivatives of the loss in multiples of 1 / scale.

    Args:
        target: 0 or 1 for the logistic loss, within [0, 1] for the squared one.

    Returns:
        The sum of the losses, in the same multiples.
    """
    loss = int64(0)
    for i in range(score.size):
        if logistic:
            s = min(max(score[i], -_MAX_SCORE), _MAX_SCORE)
            p = 1.0 / (1.0 + np.exp(-s))
            out[i, 0] = int64(np.rint((p - target[i]) * scale))
            out[i, 1] = int64(np.rint(p * (1.0 - p) * scale))
            margin = s if target[i] > 0.5 else -s
            one = np.log1p(np.exp(-abs(margin))) + max(-margin, 0.0)
        else:
            difference = min(max(score[i], 0.0), 1.0) - target[i]
            out[i, 0] = int64(np.rint(difference * scale))
            out[i, 1] = int64(scale)
            one = difference * difference
        loss += int64(np.rint(one * scale))
    return loss


@_compiled(void(_CODES, _INTS_IN, _INTS_2_IN, _INTS_IN, int64[:, ::1]))
def add_histogram(codes, order, derivatives, offsets, out):  # type: ignore[no-untyped-def]
    """Add the derivatives of the rows in `order` to the bins that they lie in."""
    for k in range(order.size):
        i = order[k]
        g, h = derivatives[i, 0], derivatives[i, 1]
        for f in range(codes.shape[1]):
            j = offsets[f] + codes[i, f]
            out[j, 0] += g
            out[j, 1] += h


@njit(nogil=True)
def _goes_left(words, code):  # type: ignore[no-untyped-def]
    """Return 1 if rows of this bin go left, else 0."""
    return (words[code >> 5] >> (code & 31)) & 1


@_compiled(int64(_CODES, int64, _INTS_IN, int64[::1], int64[::1]))
def partition(codes, feature, words, order, spare):  # type: ignore[no-untyped-def]
    """Put the rows that go left before the others, each side in its order; return how many."""
    left, right = 0, 0
    for k in range(order.size):
        i = order[k]
        goes = _goes_left(words, codes[i, feature])
        order[left] = i  # written either way: a branch that nobody can predict costs more
        spare[right] = i
        left += goes
        right += 1 - goes
    for k in range(right):
        order[left + k] = spare[k]
    return left


@_compiled(void(_INTS_IN, float64, float64[::1]))
def add_at(order, value, score):  # type: ignore[no-untyped-def]
    """Add a leaf's value to the score of its rows."""
    for k in range(order.size):
        score[order[k]] += value


@_compiled(void(_CODES, _INTS_2_IN, _INTS_2_IN, _FLOATS_IN, int64, float64[::1]))
def add_tree(codes, links, words, values, root, score):  # type: ignore[no-untyped-def]
    """Add to every row's score what the tree below `root` says.

    Args:
        links: (N, 2) feature of a node, or -1 for a leaf, and its left child; right is the next.
    """
    for i in range(score.size):
        node = root
        while links[node, 0] >= 0:
            node = links[node, 1] + 1 - _goes_left(words[node], codes[i, links[node, 0]])
        score[i] += values[node]
