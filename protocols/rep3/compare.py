"""Comparisons of shared unsigned integers in bit planes, as trees of AND gates."""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import Product, and_bits, and_sums
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

    Args:
        pick, alike: (k, w), k >= 1.

    Returns:
        One plane, (1, w).

    Cost: that of `pick_first` on k + 1 planes.
    Security: semi-honest, honest majority; no leakage.
    """
    order = high_first(pick.shape[0] + 1)
    nothing = np.zeros((1, pick.shape[1]), dtype=np.uint64)
    below = Bits(nothing, nothing)
    picks, alikes = concat_planes([pick, below]), concat_planes([alike, below])
    return (yield from pick_first(ctx, picks[order], alikes[order]))


def pick_first(ctx: Context, pick: Bits, alike: Bits) -> Steps[Bits]:
    """Pick each row's bit at its first plane that isn't alike, or at the last plane.

    Of a high and a low span of planes the pick is pick_h ^ alike_h (last_h ^ pick_l), where
    last_h is the high one's last plane. Only the picks of low spans are computed at once: those
    of high ones stay sums of products until one gate computes the sum. So half of the picks
    cost nothing. High spans come first, so that no level moves planes.

    Args:
        pick, alike: (k, w), k >= 1, in the order `high_first(k)`; the last `alike` is ignored.

    Returns:
        One plane, (1, w).

    Cost: ceil(log2 k) rounds; about 1.5 k - log2 k AND gates.
    Security: semi-honest, honest majority; no leakage.
    """
    spans, last, low, level = pick.shape[0], pick, pick[pick.shape[0] // 2 :], 0
    open_: list[Product] = []  # sums of these and its first plane are a span's pick
    while spans > 1:
        half, odd = spans // 2, spans % 2
        open_ = [(x[:half], y[:half]) for x, y in open_]
        open_.append((alike[:half], last[:half] ^ low[:half]))
        spans, asked = half + odd, half + odd - 1  # nothing asks whether the lowest is alike
        start = spans // 2
        sums = [[(x[start:], y[start:]) for x, y in open_]]
        if asked:
            sums.append([(alike[:asked], alike[half : half + asked])])
        found, *met = yield from and_sums(ctx.at(f"level{level}"), sums)
        found = pick[start:half] ^ found
        low = concat_planes([found, low[half:]]) if odd else found
        alike, last, level = met[0] if met else alike, last[half : 2 * half], level + 1
    return low


def high_first(k: int) -> list[int]:
    """Order k planes so that neighbours of any level of the tree lie in its two halves."""
    if k == 1:
        return [0]
    pairs = [j for j in high_first(-(-k // 2)) if 2 * j + 1 < k]
    return [*(2 * j for j in pairs), *(2 * j + 1 for j in pairs), *([k - 1] if k % 2 else [])]
