"""Fixed-point numbers: sums of products shared again once, and their scale taken down.

A fixed-point number x at scale f is the integer x 2^f. A product of two has the sum of their
scales, and `rescale` takes it down. Products are first taken and added up locally: only the
result costs a message, however long the sums are.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Arith
from protocols.rounds import U64, Party, Round, Steps, expect

LIMIT_BITS = 62  # what is rescaled lies within +-2^62
Product: TypeAlias = Callable[[U64, U64], U64]
Deal: TypeAlias = Callable[[U64], U64]
Combine: TypeAlias = Callable[[U64, U64], U64]
_OFFSET, _TOP, _ONE = np.uint64(1 << LIMIT_BITS), np.uint64(63), np.uint64(1)


def cross(product: Product, x: Arith, y: Arith) -> U64:
    """Return an additive share of a bilinear product. It isn't masked and may not be sent.

    Args:
        product: of arrays of words, linear in each: `matrix`, or np.multiply.
    """
    summed: U64 = product(x.own, y.own + y.next)
    summed = summed + product(x.next, y.own)
    return summed


def matrix(x: U64, y: U64) -> U64:
    """Multiply matrices or vectors mod 2^64; of the second one the transpose is meant."""
    inner: U64 = np.einsum("...n,mn->...m" if y.ndim == 2 else "...n,n->...", x, y)
    return inner


def reshare(ctx: Context, z: U64) -> Steps[Arith]:
    """Turn an additive share, as `cross` returns it, into a replicated one.

    Cost: 1 round; each party sends 8n bytes for n elements.
    Security: semi-honest, honest majority; no leakage.
    Source: Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016, for the idea.
    """
    own = z.ravel() + ctx.prss.zero(ctx.gate, z.size)
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): own}, frozenset({theirs}))
    return Arith(own, expect(inbox, theirs, z.size)).reshape(*z.shape)


def rescale(ctx: Context, z: U64, bits: int) -> Steps[Arith]:
    """Divide an additive share by 2^bits, rounding at random so that the mean is exact.

    The result is one of the two integers next to the quotient, always: there are no values for
    which it fails.

    Args:
        z: of integers within +-2^62, any shape; bits: from 1 to 62.

    Cost and security: those of `masked`, with 2 words dealt.
    """
    by, carry = np.uint64(bits), np.uint64(64 - bits)

    def deal(mask: U64) -> U64:
        return np.stack([mask >> by, mask >> _TOP])

    def combine(seen: U64, dealt: U64) -> U64:
        # seen = z + mask - 2^64 if the mask's top bit is set and seen's isn't: z has none.
        wrapped = (_ONE - (seen >> _TOP)) << carry
        summed: U64 = wrapped * dealt[1] - dealt[0]
        if ctx.me is Party.P1:
            summed += (seen >> by) - (_OFFSET >> by)
        return summed

    lifted = z + _OFFSET if ctx.me is Party.P1 else z
    return (yield from masked(ctx, lifted, deal, combine, 2))


def masked(ctx: Context, z: U64, deal: Deal, combine: Combine, width: int) -> Steps[Arith]:
    """Compute sums of products of a function of z + mask and a function of the mask.

    The mask is uniform, known to P0 alone; z + mask is seen by P1 and P2 alone.

    Args:
        z: additive share, any shape of n elements.
        deal: (n,) masks to (width, n) words, by P0 alone.
        combine: (n,) z + mask and one of two summands of what was dealt, to a summand of the
            result, (n,): linear in what was dealt, and to the bit the same at P1 and P2.

    Returns:
        The result's share in the shape of z.

    Cost: 2 rounds; for n elements P0 sends 8 (width + 2) n bytes, P1 and P2 16 n each.
    Security: semi-honest, honest majority; no leakage: what anybody sees is uniform.
    """
    n, shape = z.size, z.shape
    z = z.ravel() + ctx.prss.zero(ctx.at("zero").gate, n)
    if ctx.me is Party.P0:
        found = yield from _dealer(ctx, z, deal, width)
        return found.reshape(*shape)
    other = Party.P2 if ctx.me is Party.P1 else Party.P1
    draw = ctx.prss.with_prev if ctx.me is Party.P1 else ctx.prss.with_next
    mine = z + draw(ctx.at("mask").gate, n)
    first, second = (other, ctx.at("seen").gate), (other, ctx.at("result").gate)
    summand, helped = (Party.P0, ctx.at("summand").gate), (Party.P0, ctx.at("dealt").gate)
    if ctx.me is Party.P1:
        inbox = yield Round({first: mine}, frozenset({first, summand}))
        dealt = draw(ctx.at("dealt").gate, width * n)
    else:
        inbox = yield Round({first: mine}, frozenset({first, summand, helped}))
        dealt = expect(inbox, helped, width * n)
    seen = mine + expect(inbox, first, n) + expect(inbox, summand, n)
    half = draw(ctx.at("part").gate, n)
    part = combine(seen, dealt.reshape(width, n)) - half
    inbox = yield Round({second: part}, frozenset({second}))
    last = part + expect(inbox, second, n)
    halves = (half, last) if ctx.me is Party.P1 else (last, half)
    return Arith(*halves).reshape(*shape)


def _dealer(ctx: Context, z: U64, deal: Deal, width: int) -> Steps[Arith]:
    """Be P0: give away its summand, and what it deals; the result's first two parts are random."""
    n, mask, part = z.size, ctx.at("mask").gate, ctx.at("part").gate
    dealt = deal(ctx.prss.with_next(mask, n) + ctx.prss.with_prev(mask, n)).ravel()
    dealt = dealt - ctx.prss.with_next(ctx.at("dealt").gate, width * n)
    yield Round(
        {
            (Party.P1, ctx.at("summand").gate): z,
            (Party.P2, ctx.at("summand").gate): z,
            (Party.P2, ctx.at("dealt").gate): dealt,
        }
    )
    yield Round()
    return Arith(ctx.prss.with_prev(part, n), ctx.prss.with_next(part, n))
