"""A bitonic network on bit planes: sorts rows that fall and then rise."""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import high_first, pick_first
from protocols.rep3.share import Bits
from protocols.rounds import U64, Steps


def rise(ctx: Context, x: Bits, compared: int, levels: int) -> Steps[Bits]:
    """Sort rows by their first `compared` planes, which fall up to some row and then rise.

    Any number of words: rows past the last word would be the greatest, and stay where they are.
    If there are 2^levels < 64 rows, zeros beside them stay zeros.

    Cost: for each level 1 + ceil(log2(compared)) rounds, and a comparison and a gate a
        plane for each of at most half as many pairs as there are rows.
    Security: semi-honest, honest majority; no leakage.
    """
    order = high_first(compared)
    x = x[[*order, *range(compared, x.shape[0])]]
    for distance in (1 << level for level in reversed(range(levels))):
        at = ctx.at(f"distance{distance}")
        low, difference = _apart(x, compared, distance)
        alike = difference[:compared].flip(ctx.me)
        # The lower row has a 1 where they first differ; whether equal ones swap is all the same.
        swap = yield from pick_first(at.at("less"), low, alike)
        del low, alike
        change = yield from and_bits(at.at("swap"), swap, difference)
        x = Bits(_together(x.own, change.own, distance), _together(x.next, change.next, distance))
    return x[[*np.argsort(order), *range(compared, x.shape[0])]]


def _apart(x: Bits, compared: int, distance: int) -> tuple[Bits, Bits]:
    """Return of each pair of rows the lower one, compared planes only, and lower ^ upper."""
    from protocols.rep3 import network_kernels as kernels

    k, w = x.shape
    low = np.empty((2, compared, pairs(w, distance)), dtype=np.uint64)
    difference = np.empty((2, k, pairs(w, distance)), dtype=np.uint64)
    for i, half in enumerate((x.own, x.next)):
        kernels.apart(half, distance, low[i], difference[i])
    return Bits(*low), Bits(*difference)


def _together(x: U64, change: U64, distance: int) -> U64:
    """Return the rows with both of each pair changed."""
    from protocols.rep3 import network_kernels as kernels

    out = np.empty_like(x)
    kernels.together(x, change, distance, out)
    return out


def pairs(w: int, distance: int) -> int:
    """Return how many words the lower rows of all pairs fill, of w words of rows."""
    if distance < 64:
        return -(-w // 2)
    step = distance // 64
    return w // (2 * step) * step + max(0, w % (2 * step) - step)
