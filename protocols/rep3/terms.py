"""Comparing short integers, given in terms: which are below 0, and by how much they are above."""

import numpy as np

from protocols.context import Context
from protocols.rep3.adder import carries, carry_out
from protocols.rep3.and_bits import and_bits
from protocols.rep3.share import Bits
from protocols.rep3.short import Small
from protocols.rounds import U64, Party, Round, Steps, expect


def below_zero(ctx: Context, term: Small) -> Steps[Bits]:
    """Take the sign of each integer, in two's complement.

    Args:
        term: this party's term of integers mod 2^width, (m, n), n a multiple of 64.

    Returns:
        shape (m, n / 64).

    Cost: 1 + ceil(log2 width) rounds; width / 8 mn bytes by P0, and a `carry_out` of
        width - 1 planes of mn bits. Security: semi-honest, honest majority; no leakage.
    """
    a, b = yield from _planes(ctx.at("share"), term)
    carry = yield from carry_out(ctx.at("add"), a[1:], b[1:])
    return (a[:1] ^ b[:1] ^ carry).reshape(term.shape[0], -1)


def excess(ctx: Context, term: Small, bits: int) -> Steps[Bits]:
    """Take the low bits of integers that are above 0, and zero for those that aren't.

    Args:
        term: as for `below_zero`, (n,).
        bits: of the greatest of the integers, fewer than all.

    Returns:
        shape (bits, n / 64).

    Cost: 3 + ceil(log2(width - 1)) rounds; width / 8 n bytes by P0, and a `carries` of
        width - 1 planes of n bits and an AND of `bits` planes. Security: as `below_zero`.
    """
    a, b = yield from _planes(ctx.at("share"), term)
    carried = yield from carries(ctx.at("add"), a[1:], b[1:])
    total = a ^ b
    total = Bits(_carry_into(total.own, carried.own), _carry_into(total.next, carried.next))
    return (yield from and_bits(ctx.at("above"), total[-bits:], total[:1].flip(ctx.me)))


def _planes(ctx: Context, term: Small) -> Steps[tuple[Bits, Bits]]:
    """Share both terms as planes, (width, size / 64), of which P0 knows the first.

    Cost: 1 round; P0 sends the size of its term.
    """
    planes = _sliced(term)
    zero = np.zeros_like(planes)
    if ctx.me is Party.P0:
        s1 = ctx.prss.with_next(ctx.gate, planes.size).reshape(planes.shape)
        planes ^= s1
        yield Round({(Party.P2, ctx.gate): planes.ravel()})
        return Bits(planes, s1), Bits(zero, zero)
    if ctx.me is Party.P1:
        s1 = ctx.prss.with_prev(ctx.gate, planes.size).reshape(planes.shape)
        yield Round()
        return Bits(s1, zero), Bits(zero, planes)
    theirs = (Party.P0, ctx.gate)
    inbox = yield Round(await_from=frozenset({theirs}))
    s0 = expect(inbox, theirs, planes.size).reshape(planes.shape)
    return Bits(zero, s0), Bits(planes, zero)


def _sliced(term: Small) -> U64:
    from protocols.rep3 import short_kernels

    planes = np.empty((8 * term.itemsize, term.size // 64), dtype=np.uint64)
    for octet in range(term.itemsize):  # the highest first
        octets = (term.ravel() >> (8 * (term.itemsize - 1 - octet))).astype(np.uint8)
        short_kernels.octets_to_planes(octets, planes[8 * octet : 8 * octet + 8])
    return planes


def _carry_into(summed: U64, carried: U64) -> U64:
    """XOR each carry into the plane above it; the lowest plane gets none."""
    total = summed.copy()
    total[:-1] ^= carried
    return total
