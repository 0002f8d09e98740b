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

    Cost: 1 + ceil(log2 k) rounds; about 3k - log2 k AND gates, so 3kw words, by each party.
    Security: semi-honest, honest majority; no leakage.
    """
    if a.shape != b.shape or a.shape[0] == 0:
        raise ValueError(f"can't compare {a.shape} with {b.shape}")
    less = yield from and_bits(ctx.at("leaf"), a.flip(ctx.me), b)
    alike = (a[:-1] ^ b[:-1]).flip(ctx.me)
    return (yield from fold(ctx, less, alike))


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


def fold(ctx: Context, generate: Bits, propagate: Bits) -> Steps[Bits]:
    """Compute g_0 ^ p_0 (g_1 ^ p_1 (g_2 ^ ...)), the carry out of plane 0.

    Args:
        generate: (k, w), k >= 1.
        propagate: (k - 1, w); nowhere 1 together with `generate`.

    Cost: ceil(log2 k) rounds; about 2k - log2 k AND gates. Security: as `less_than`.
    """
    g, p, level = generate, propagate, 0
    while (k := g.shape[0]) > 1:
        half, both = 2 * (k // 2), 2 * ((k - 1) // 2)
        high = ((p[0:half:2], g[1:half:2]), (p[0:both:2], p[1:both:2]))
        carried, joint = yield from and_pairs(ctx.at(f"level{level}"), high)
        carried = g[0:half:2] ^ carried
        g, p = concat_planes([carried, g[half:]]) if k % 2 else carried, joint
        level += 1
    return g
