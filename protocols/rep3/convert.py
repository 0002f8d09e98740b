"""Between shared bits and shared integers.

All five rest on one fact: of x_0, x_1, x_2 the first two are known to P0, and the third to P1
and P2. So a conversion is between two values of which each party knows one.
"""

from collections.abc import Callable

import numpy as np

from protocols.context import Context
from protocols.rep3.adder import carries, carry_out
from protocols.rep3.compare import equal_zero
from protocols.rep3.share import Arith, Bits, concat_planes
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Party, Round, Steps, expect


def bits_to_arith(ctx: Context, x: Bits, n: int) -> Steps[Arith]:
    """Turn every plane into a column of 0 and 1.

    Args:
        x: (k, words_for(n)); bits past row n are ignored.

    Returns:
        shape (k, n), column j from plane j.

    Cost: 2 rounds; each party sends 8kn bytes.
    Security: semi-honest, honest majority; no leakage.
    """
    return (yield from _inject(ctx, x, n, x.shape[0], lambda terms: terms))


def bits_to_number(ctx: Context, x: Bits, n: int) -> Steps[Arith]:
    """Turn k planes, plane 0 most significant, into one column of integers mod 2^64, shape (n,).

    Cost: 2 rounds; P0 sends 8kn bytes, P1 and P2 8n each. Security: as `bits_to_arith`.
    """
    weights = np.array([2 ** (j % 64) * (j < 64) for j in reversed(range(x.shape[0]))], np.uint64)
    number = yield from _inject(ctx, x, n, 1, lambda terms: weights @ terms)
    return number.reshape(n)


def sign(ctx: Context, x: Arith, ignored: int = 0) -> Steps[Bits]:
    """Take the most significant bit of each element: whether it is below 0 in two's complement.

    Args:
        x: (m, n).
        ignored: low bits that are left out: elements below 2^ignored may pass for less than 0.

    Returns:
        shape (m, words_for(n)); bits past row n are zero.

    Cost: 7 rounds; with W = m words_for(n), P0 sends 8 (64 + 89) W bytes, the others 8 * 89 W.
        With k = 64 - ignored, 1 + ceil(log2 k) rounds, and about 8 (k + 1.4 k) W and 8 * 1.4 k W.
    Security: semi-honest, honest majority; no leakage.
    """
    a, b = yield from _summands(ctx.at("share"), x, 64 - ignored, ignored)
    carry = yield from carry_out(ctx.at("add"), a[1:], b[1:])
    return (a[:1] ^ b[:1] ^ carry).reshape(x.shape[0], -1)


def arith_to_bits(ctx: Context, x: Arith, bits: int) -> Steps[Bits]:
    """Take the low `bits` bits of each element of x, shape (n,), as planes (bits, words_for(n)).

    Bits past row n are zero.

    Cost: 2 + ceil(log2(bits - 1)) rounds, 1 if bits is 1; about bits * log2(bits) AND gates.
    Security: semi-honest, honest majority; no leakage.
    """
    a, b = yield from _summands(ctx.at("share"), x.reshape(1, -1), bits)
    if bits == 1:
        return a ^ b
    carried = yield from carries(ctx.at("add"), a[1:], b[1:])
    summed = a ^ b
    return Bits(_carry_into(summed.own, carried.own), _carry_into(summed.next, carried.next))


def is_zero(ctx: Context, x: Arith, bits: int, further: Bits | None = None) -> Steps[Bits]:
    """Tell of each element of x, shape (n,), whether its low `bits` bits are zero, one plane.

    x_0 + x_1 and -x_2 are compared, of which each party knows one: nothing is added up.

    Args:
        further: (k, words_for(n)): planes that must be zero too.

    Returns:
        (1, words_for(n)); bits past row n say anything.

    Cost: 1 + ceil(log2(bits + k)) rounds; P0 sends 8 (2 bits + k - 1) words_for(n) bytes, the
        others 8 (bits + k - 1) words_for(n).
    Security: semi-honest, honest majority; no leakage.
    """
    negated = x
    if ctx.me is Party.P1:
        negated = Arith(x.own, np.uint64(0) - x.next)
    elif ctx.me is Party.P2:
        negated = Arith(np.uint64(0) - x.own, x.next)
    a, b = yield from _summands(ctx.at("share"), negated.reshape(1, -1), bits)
    unlike = a ^ b if further is None else concat_planes([a ^ b, further])
    return (yield from equal_zero(ctx.at("equal"), unlike))


def _inject(
    ctx: Context, x: Bits, n: int, width: int, combine: Callable[[U64], U64]
) -> Steps[Arith]:
    """Add up `combine`d columns of (x_0 ^ x_1) ^ x_2, each equal to b + (1 - 2b) a.

    P0 splits a into a_0 + a_1. P2 multiplies the one part by its sign, P1 the other; r_0 and
    r_1, each known to two, become two parts of the result and mask what completes the third.
    """
    k, known, masked = x.shape[0], ctx.at("known"), ctx.at("masked")
    if ctx.me is Party.P0:
        a = _columns(x.own ^ x.next, n)
        a -= ctx.prss.with_next(known.gate, k * n).reshape(k, n)
        r0 = ctx.prss.with_prev(masked.gate, width * n)
        r1 = ctx.prss.with_next(masked.gate, width * n)
        yield Round({(Party.P2, known.gate): a.ravel()})
        yield Round()
        return Arith(r0, r1).reshape(width, n)

    if ctx.me is Party.P1:
        b, r = _columns(x.next, n), ctx.prss.with_prev(masked.gate, width * n)
        part = ctx.prss.with_prev(known.gate, k * n)
        yield Round()
    else:
        b, r = _columns(x.own, n), ctx.prss.with_next(masked.gate, width * n)
        inbox = yield Round(await_from=frozenset({(Party.P0, known.gate)}))
        part = expect(inbox, (Party.P0, known.gate), k * n)

    other = Party.P2 if ctx.me is Party.P1 else Party.P1
    mine = combine(_negate_where(b, part.reshape(k, n))).ravel() - r
    theirs = (other, masked.gate)
    inbox = yield Round({(other, masked.gate): mine}, frozenset({theirs}))
    third = combine(b).ravel() + mine
    third += expect(inbox, theirs, width * n)
    halves = (r, third) if ctx.me is Party.P1 else (third, r)
    return Arith(*halves).reshape(width, n)


def _summands(
    ctx: Context, x: Arith, bits: int, ignored: int = 0
) -> Steps[tuple[Bits, Bits]]:
    """Share the low bits of x_0 + x_1, which P0 knows, and x_2, which P1 and P2 know, as planes.

    Bits are those above the `ignored` lowest ones.

    Cost: 1 round; P0 sends 8 bits m words_for(n) bytes for x of shape (m, n).
    """
    above = np.uint64(ignored)
    if ctx.me is Party.P0:
        planes = _planes((x.own + x.next) >> above, bits)
        zero, s1 = np.zeros_like(planes), ctx.prss.with_next(ctx.gate, planes.size)
        s1 = s1.reshape(planes.shape)
        planes ^= s1
        yield Round({(Party.P2, ctx.gate): planes.ravel()})
        return Bits(planes, s1), Bits(zero, zero)

    planes = _planes((x.next if ctx.me is Party.P1 else x.own) >> above, bits)
    zero = np.zeros_like(planes)
    if ctx.me is Party.P1:
        s1 = ctx.prss.with_prev(ctx.gate, planes.size).reshape(planes.shape)
        yield Round()
        return Bits(s1, zero), Bits(zero, planes)
    theirs = (Party.P0, ctx.gate)
    inbox = yield Round(await_from=frozenset({theirs}))
    s0 = expect(inbox, theirs, planes.size).reshape(planes.shape)
    return Bits(zero, s0), Bits(planes, zero)


def _columns(planes: U64, n: int) -> U64:
    """Return bits as words, shape (k, n)."""
    octets = np.ascontiguousarray(planes).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.uint64)


def _negate_where(bits: U64, values: U64) -> U64:
    """Return (1 - 2 bits) * values."""
    signed = np.uint64(0) - bits
    signed ^= values
    signed += bits
    return signed


def _planes(words: U64, bits: int) -> U64:
    """Slice the low bits of (m, n) words: shape (bits, m * words_for(n))."""
    return np.concatenate([to_planes(column, bits) for column in words], axis=1)


def _carry_into(summed: U64, carried: U64) -> U64:
    """XOR each carry into the plane above it; the lowest plane gets none."""
    total = summed.copy()
    total[:-1] ^= carried
    return total
