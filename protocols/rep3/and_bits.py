"""AND of shared bits, 64 rows a word."""

from collections.abc import Sequence

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Bits
from protocols.rounds import U64, Round, Steps, expect

BLOCK_WORDS = 1 << 14  # a block's operands and result then stay in a second-level cache


def and_bits(ctx: Context, x: Bits, y: Bits) -> Steps[Bits]:
    """AND two shared bit arrays.

    Args:
        x, y: both (k, w), or one of them (1, w): then it meets every plane of the other.

    Cost: 1 round; each party sends 8kw bytes.
    Security: semi-honest, honest majority; no leakage.
    """
    (z,) = yield from and_pairs(ctx, ((x, y),))
    return z


def and_pairs(ctx: Context, pairs: Sequence[tuple[Bits, Bits]]) -> Steps[tuple[Bits, ...]]:
    """AND each pair, as `and_bits` does, all in one message.

    Raises:
        ValueError: if a pair's shapes don't fit.
        PeerMisbehaved: if the neighbour's vector has another type or length.

    Cost: 1 round; each party sends 8 bytes for every word of every result.
    Security: semi-honest, honest majority; no leakage.
    Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, for the idea.
    """
    shapes = [_shape(x, y) for x, y in pairs]
    ends = np.cumsum([k * w for k, w in shapes]).tolist()
    z = ctx.prss.zero_bits(ctx.gate, ends[-1])
    starts = [0, *ends[:-1]]
    for (x, y), shape, start, end in zip(pairs, shapes, starts, ends, strict=True):
        _xor_products(z[start:end].reshape(shape), x, y)

    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z}, frozenset({theirs}))
    both = Bits(z, expect(inbox, theirs, z.size))
    spans = zip(shapes, starts, ends, strict=True)
    return tuple(both[start:end].reshape(*shape) for shape, start, end in spans)


def _shape(x: Bits, y: Bits) -> tuple[int, int]:
    (kx, wx), (ky, wy) = x.shape, y.shape
    if wx != wy or (kx != ky and 1 not in (kx, ky)):
        raise ValueError(f"shapes don't fit: {x.shape} and {y.shape}")
    return (ky if kx == 1 else kx, wx)


def _xor_products(z: U64, x: Bits, y: Bits) -> None:
    """XOR into z this party's three of the nine cross terms of x & y, some planes at a time."""
    k, w = z.shape
    step = max(1, BLOCK_WORDS // max(1, w))
    term = np.empty((min(step, k), w), dtype=np.uint64)
    x0, x1, y0, y1 = (np.broadcast_to(a, z.shape) for a in (x.own, x.next, y.own, y.next))
    for start in range(0, k, step):
        at = slice(start, min(k, start + step))
        t = term[: at.stop - start]
        np.bitwise_xor(y0[at], y1[at], out=t)
        t &= x0[at]
        z[at] ^= t
        np.bitwise_and(x1[at], y0[at], out=t)
        z[at] ^= t
