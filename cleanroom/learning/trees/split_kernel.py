"""The compiled search for the best split of a node.

Rule: deterministic: sums are whole numbers, and of equal gains the first feature and bin wins.
"""

from typing import Any

import numpy as np
from numba import boolean, float64, int64, njit, types, void

_INTS_IN = types.Array(int64, 1, "C", readonly=True)
_NODES_IN = types.Array(int64, 3, "C", readonly=True)


def _compiled(*arguments: Any) -> Any:
    return njit(void(*arguments), cache=True, nogil=True, error_model="numpy")


def _inner(function: Any) -> Any:
    return njit(function, nogil=True, error_model="numpy")


@_inner
def _score(g, h, all_g, all_h, scale, l2, least):  # type: ignore[no-untyped-def]
    """Return what both sides of a split are worth; -1 if one has too little weight."""
    left_g, left_h = g / scale, h / scale
    right_g, right_h = (all_g - g) / scale, (all_h - h) / scale
    if left_h < least or right_h < least:
        return -1.0
    return left_g * left_g / (left_h + l2) + right_g * right_g / (right_h + l2)


@_inner
def _cut(bins, missing, all_g, all_h, scale, l2, least):  # type: ignore[no-untyped-def]
    """Return the best worth of a cut between ordered bins, and the last bin that goes left.

    Missing values that go left too add 256 to the bin.
    """
    best, at = -1.0, -1.0
    plain = bins.shape[0] if missing < 0 else missing
    g = h = int64(0)
    for b in range(plain):
        g += bins[b, 0]
        h += bins[b, 1]
        if b < plain - 1 or missing >= 0:
            worth = _score(g, h, all_g, all_h, scale, l2, least)
            if worth > best:
                best, at = worth, float(b)
        if missing >= 0 and b < plain - 1:
            with_g, with_h = g + bins[missing, 0], h + bins[missing, 1]
            worth = _score(with_g, with_h, all_g, all_h, scale, l2, least)
            if worth > best:
                best, at = worth, float(b + 256)
    return best, at


@_inner
def _one(bins, all_g, all_h, scale, l2, least):  # type: ignore[no-untyped-def]
    """Return the best worth of a bin apart from all others, and which."""
    best, at = -1.0, -1.0
    for b in range(bins.shape[0]):
        worth = _score(bins[b, 0], bins[b, 1], all_g, all_h, scale, l2, least)
        if worth > best:
            best, at = worth, float(b)
    return best, at


@_inner
def _by_gradient(bins):  # type: ignore[no-untyped-def]
    """Return the bins that hold weight in the order of their mean gradients, then the others."""
    mean = np.full(bins.shape[0], np.inf)
    for b in range(bins.shape[0]):
        if bins[b, 1] > 0:
            mean[b] = bins[b, 0] / bins[b, 1]
    return np.argsort(mean, kind="mergesort")


@_inner
def _mark(bins, missing, at, category, ordered, left):  # type: ignore[no-untyped-def]
    """Mark the bins that go left under the cut or bin `at`."""
    left[:] = False
    if category and not ordered:
        left[at] = True
    elif category:
        left[_by_gradient(bins)[: at + 1]] = True
    else:
        left[: (at & 255) + 1] = True
        if missing >= 0:
            left[missing] = at >= 256


@_compiled(
    *[_NODES_IN, *[_INTS_IN] * 4, boolean, float64, float64, float64],
    *[float64[::1], int64[::1], boolean[:, ::1]],
)
def best_splits(  # type: ignore[no-untyped-def]
    nodes, offsets, widths, missing, category, ordered, scale, l2, least, gains, features, left
):
    """Find each node's best split.

    Args:
        nodes: (m, bins, 2) summed derivatives, whole multiples of 1 / scale.
        offsets, widths, missing, category: (F,) as in a layout.
        gains, features, left: (m,), (m,) and (m, 256), written; the gain is -1 where no split
            leaves `least` weight on both sides.
    """
    for m in range(nodes.shape[0]):
        all_g, all_h = nodes[m, : widths[0], 0].sum(), nodes[m, : widths[0], 1].sum()
        gradient, weight = all_g / scale, all_h / scale
        whole = gradient * gradient / (weight + l2) if weight > 0.0 else 0.0
        best, where = -1.0, -1
        features[m] = -1
        for f in range(offsets.size):
            bins = nodes[m, offsets[f] : offsets[f] + widths[f]]
            if category[f] == 0:
                worth, at = _cut(bins, missing[f], all_g, all_h, scale, l2, least)
            elif ordered:
                worth, at = _cut(bins[_by_gradient(bins)], -1, all_g, all_h, scale, l2, least)
            else:
                worth, at = _one(bins, all_g, all_h, scale, l2, least)
            if worth > best:
                best, where = worth, int(at)
                features[m] = f
        gains[m] = best - whole if best >= 0.0 else -1.0
        if best >= 0.0:
            f = features[m]
            bins = nodes[m, offsets[f] : offsets[f] + widths[f]]
            _mark(bins, missing[f], where, category[f] == 1, ordered, left[m])
