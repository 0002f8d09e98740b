"""Carries of an addition of shared bit planes, in logarithmic depth. Plane 0 is the highest."""

import numpy as np
from numpy.typing import NDArray

from protocols.context import Context
from protocols.rep3.and_bits import and_bits, and_pairs
from protocols.rep3.compare import first_unlike
from protocols.rep3.share import Bits
from protocols.rounds import U64, Steps

Planes = NDArray[np.intp]


def carry_out(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Return the carry out of a + b, both (k, w), k >= 1, as one plane.

    Cost: that of `first_unlike`. Security: semi-honest, honest majority; no leakage.
    """
    return (yield from first_unlike(ctx, a, a ^ b))  # only a plane of two equal bits decides


def carries(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Return the carry out of every plane of a + b, both (k, w), k >= 1.

    Cost: 1 + ceil(log2 k) rounds; about k + k log2 k AND gates.
        (Sklansky's prefix tree: its wide fan-out is free here, and it has half the gates of
        a Kogge-Stone tree.)
    Security: semi-honest, honest majority; no leakage.
    """
    g = (yield from and_bits(ctx.at("generate"), a, b))[::-1]
    p = (a ^ b)[::-1]  # lowest plane first within this function
    k, span = g.shape[0], 1
    while span < k:
        high = np.flatnonzero(np.arange(k) & span)
        low = high // span * span - 1
        open_ = high >= 2 * span  # below that nothing is left to propagate from
        products = ((p[high], g[low]), (p[high[open_]], p[low[open_]]))
        carried, joint = yield from and_pairs(ctx.at(f"span{span}"), products)
        g = _replaced(g, high, g[high] ^ carried)
        p = _replaced(p, high[open_], joint)
        span *= 2
    return g[::-1]


def _replaced(x: Bits, planes: Planes, new: Bits) -> Bits:
    return Bits(_put(x.own, planes, new.own), _put(x.next, planes, new.next))


def _put(words: U64, planes: Planes, new: U64) -> U64:
    changed = words.copy()  # the old ones may still be on their way to a neighbour
    changed[planes] = new
    return changed
