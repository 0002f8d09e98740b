"""AND of shared bits, 64 rows a word."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Bits
from protocols.rounds import U64, Round, Steps, expect

Product: TypeAlias = tuple[Bits, Bits]


def and_bits(ctx: Context, x: Bits, y: Bits) -> Steps[Bits]:
    """AND two shared bit arrays.

    Args:
        x, y: both (k, w), or one of them (1, w): then it meets every plane of the other.

    Cost: 1 round; each party sends 8kw bytes.
    Security: semi-honest, honest majority; no leakage.
    """
    (z,) = yield from and_pairs(ctx, ((x, y),))
    return z


def and_pairs(ctx: Context, pairs: Sequence[Product]) -> Steps[tuple[Bits, ...]]:
    """AND each pair, as `and_bits` does, all in one message. Cost and security: `and_sums`."""
    return (yield from and_sums(ctx, [[pair] for pair in pairs]))


def and_sums(ctx: Context, sums: Sequence[Sequence[Product]]) -> Steps[tuple[Bits, ...]]:
    """AND pairs, as `and_bits` does, and XOR those of a sum: that costs nothing more.

    Args:
        sums: one or more pairs each, of results of equal shape.

    Raises:
        ValueError: if shapes don't fit.
        PeerMisbehaved: if the neighbour's vector has another type or length.

    Cost: 1 round; each party sends 8 bytes for every word of every sum.
    Security: semi-honest, honest majority; no leakage.
    Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, for the idea.
    """
    shapes = [_shape(pairs) for pairs in sums]
    ends = np.cumsum([k * w for k, w in shapes]).tolist()
    z = _masked_products(ctx, sums, ends)
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z}, frozenset({theirs}))
    both = Bits(z, expect(inbox, theirs, z.size))
    spans = zip(shapes, [0, *ends[:-1]], ends, strict=True)
    return tuple(both[start:end].reshape(*shape) for shape, start, end in spans)


def _shape(pairs: Sequence[Product]) -> tuple[int, int]:
    """Return the shape of the pairs' results, refused if it isn't one."""
    shapes = set()
    for x, y in pairs:
        (kx, wx), (ky, wy) = x.shape, y.shape
        if wx != wy or (kx != ky and 1 not in (kx, ky)):
            raise ValueError(f"shapes don't fit: {x.shape} and {y.shape}")
        shapes.add((ky if kx == 1 else kx, wx))
    if len(shapes) != 1:
        raise ValueError(f"terms of a sum differ: {sorted(shapes)}")
    return shapes.pop()


def _masked_products(ctx: Context, sums: Sequence[Sequence[Product]], ends: list[int]) -> U64:
    """Return this party's three of the nine cross terms of each x & y, under a share of zero."""
    from protocols.rep3 import kernels

    z = np.empty(ends[-1], dtype=np.uint64)
    operands = [[_flat(x, y) for x, y in pairs] for pairs in sums]
    for at, own, following in ctx.prss.blocks(ctx.gate, z.size):
        for products, start, end in zip(operands, [0, *ends[:-1]], ends, strict=True):
            a, b = max(at.start, start), min(at.stop, end)
            if a >= b:
                continue
            masks = own[a - at.start : b - at.start], following[a - at.start : b - at.start]
            halves, steps = products[0]
            kernels.and_block(*halves, *masks, z[a:b], a - start, *steps)
            for halves, steps in products[1:]:
                kernels.and_more(*halves, z[a:b], a - start, *steps)
    return z


def _flat(x: Bits, y: Bits) -> tuple[list[U64], list[int]]:
    """Return the four halves as vectors; words of a plane, and from plane to plane of x and y."""
    w = x.shape[1]
    halves = [np.ascontiguousarray(half).ravel() for half in (x.own, x.next, y.own, y.next)]
    return halves, [w, *(0 if operand.shape[0] == 1 else w for operand in (x, y))]
