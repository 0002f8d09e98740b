"""Multiplication of shared integers."""

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Arith
from protocols.rounds import U64, Round, Steps, expect


def multiply(ctx: Context, x: Arith, y: Arith) -> Steps[Arith]:
    """Multiply element by element.

    Args:
        x, y: shares over Z_2^64 of one shape, any dimensions.

    Returns:
        This party's share of x * y mod 2^64, of the same shape.

    Raises:
        ValueError: if x and y differ in shape.
        PeerMisbehaved: if the neighbour's vector has another type or length.

    Cost: 1 round; each party sends 8n bytes for n elements.
    Security: semi-honest, honest majority; no leakage.
    Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, for the idea; here party i holds
        (x_i, x_{i+1}) and sends to the previous party.
    """
    if x.shape != y.shape:
        raise ValueError(f"shapes differ: {x.shape} and {y.shape}")
    # The sum of a party's cross terms isn't uniform: the zero share must go in before it leaves.
    z = np.empty(x.own.size, dtype=np.uint64)
    _masked_products(ctx, z, x, y)
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z}, frozenset({theirs}))
    return Arith(z, expect(inbox, theirs, z.size)).reshape(*x.shape)


def _masked_products(ctx: Context, z: U64, x: Arith, y: Arith) -> None:
    """Set z to this party's three of the nine cross terms of x * y plus its share of zero."""
    from protocols.rep3 import kernels

    flat = [np.ascontiguousarray(half).ravel() for half in (x.own, x.next, y.own, y.next)]
    for at, own, following in ctx.prss.blocks(ctx.gate, z.size):
        kernels.multiply_block(*(half[at] for half in flat), own, following, z[at])
