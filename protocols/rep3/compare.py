"""Comparisons of shared unsigned integers in bit planes, as trees of AND gates."""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits, and_pairs
from protocols.rep3.share import ONES, Bits, concat_planes, public_bits
from protocols.rounds import Steps


def less_than(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Compare row by row: a < b, unsigned, plane 0 most significant.

    Args:
        a, b: both (k, w), k >= 1.

    Returns:
        One plane, (1, w). Where a and b are both zero bits, so is the result.

    Raises:
        ValueError: if the shapes differ or k is 0.

    Cost: that of `first_unlike`. Security: semi-honest, honest majority; no leakage.
    """
    if a.shape != b.shape or a.shape[0] == 0:
        raise ValueError(f"can't compare {a.shape} with {b.shape}")
    return (yield from first_unlike(ctx, b, (a ^ b).flip(ctx.me)))


def equal(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Compare row by row: a = b, one plane, (1, w); all ones if there are no planes.

    Cost: ceil(log2 k) rounds; k - 1 AND gates. Security: as `less_than`.
    """
    if a.shape != b.shape:
        raise ValueError(f"can't compare {a.shape} with {b.shape}")
    return (yield from equal_zero(ctx, a ^ b))


def equal_zero(ctx: Context, x: Bits) -> Steps[Bits]:
    """Tell row by row whether all planes are zero, one plane, (1, w).

    Cost: ceil(log2 k) rounds; k - 1 AND gates. Security: as `less_than`.
    """
    if x.shape[0] == 0:
        return public_bits(ctx.me, np.full((1, x.shape[1]), ONES))
    x, level = x.flip(ctx.me), 0
    while (k := x.shape[0]) > 1:
        half = k // 2
        met = yield from and_bits(ctx.at(f"level{level}"), x[:half], x[half : 2 * half])
        x, level = concat_planes([met, x[2 * half :]]) if k % 2 else met, level + 1
    return x


def first_unlike(ctx: Context, pick: Bits, alike: Bits) -> Steps[Bits]:
    """Pick each row's bit at its first plane that isn't alike; 0 if all are.

    Of a high and a low span of planes the pick is the high one's, or if that is alike
    throughout, the low one's: pick_h ^ alike_h (pick_h ^ pick_l). At the bottom stands 0. Spans
    lie in an order in which the high ones come first, so that no level moves planes.

    Args:
        pick, alike: (k, w), k >= 1.

    Returns:
        One plane, (1, w).

    Cost: ceil(log2(k + 1)) rounds; about 2k - log2 k AND gates.
    Security: semi-honest, honest majority; no leakage.
    """
    order = _high_first(pick.shape[0])
    pick, alike = pick[order], alike[order]
    level, above = 0, True  # whether all spans still stand above the 0
    while (k := pick.shape[0]) > 1 or above:
        half, odd = k // 2, k % 2
        known = min(2 * half, alike.shape[0])
        pairs = [
            (alike[:half], pick[:half] ^ pick[half : 2 * half]),
            (alike[: known - half], alike[half:known]),
        ]
        if above and odd:
            pairs.append((alike[k - 1 :], pick[k - 1 :]))
        changes, both, *met = yield from and_pairs(ctx.at(f"level{level}"), pairs)
        high, rest = pick[:half] ^ changes, pick[2 * half :]
        rests = [rest ^ zero for zero in met] or [rest]
        pick, alike = concat_planes([high, *rests]) if odd else high, both
        level, above = level + 1, above and not odd
    return pick


def _high_first(k: int) -> list[int]:
    """Order k planes so that neighbours of any level of the tree lie in its two halves."""
    if k == 1:
        return [0]
    pairs = [j for j in _high_first(-(-k // 2)) if 2 * j + 1 < k]
    high, low = [2 * j for j in pairs], [2 * j + 1 for j in pairs]
    return [*high, *low, *([k - 1] if k % 2 else [])]
