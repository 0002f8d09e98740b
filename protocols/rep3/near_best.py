"""Who is whose best match both ways among pairs of near rows, and the bits of partners."""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.band import both_ways, earlier, later, of_distance, of_firsts, of_seconds
from protocols.rep3.compare import equal_zero
from protocols.rep3.fold import exactly_one, larger, over_rows
from protocols.rep3.share import Bits, concat_planes
from protocols.rounds import U64, Round, Steps, expect


def near_best(ctx: Context, score: Bits, window: int) -> Steps[Bits]:
    """Find pairs that have the best score of both their rows, and no rival in that.

    A pair is a candidate if no other pair of either row has a higher score. It is a match if no
    other candidate shares a row with it.

    Args:
        score: planes (k, window w), a band; zero in pairs that may not match.

    Returns:
        One plane, (1, window w): each row is in one pair at most.

    Cost: with l = ceil(log2 window) + 1, (ceil(log2 k) + 2) l + ceil(log2 (2k + 1)) +
        ceil(log2 k) + 2 rounds; about 7 k AND gates a pair.
    Security: semi-honest, honest majority; no leakage, not even how many match.
    """
    ways = both_ways(score, window)
    highest = yield from over_rows(ctx.at("highest"), ways, 2 * window, larger)
    none = yield from equal_zero(ctx.at("none"), highest)
    off = [
        score ^ of_firsts(highest, window),
        score ^ of_seconds(highest, window),
        of_firsts(none, window),
    ]
    best = yield from equal_zero(ctx.at("best"), concat_planes(off))
    ways = both_ways(best, window)
    counted = yield from over_rows(
        ctx.at("rivals"), concat_planes([ways, ways]), 2 * window, exactly_one
    )
    first = yield from and_bits(ctx.at("first"), best, of_firsts(counted[1:], window))
    return (yield from and_bits(ctx.at("second"), first, of_seconds(counted[1:], window)))


def near_partners(ctx: Context, match: Bits, bits: Bits, window: int) -> Steps[Bits]:
    """Give each row the bits of the row that it matches, zeros if it matches none.

    Args:
        match: one plane, (1, window w), a band; each row is in one pair at most.
        bits: planes (k, w) of the rows.

    Returns:
        planes (k, w).

    Cost: 1 round; each party sends 8 kw bytes, however many pairs there are.
    Security: semi-honest, honest majority; no leakage.
    """
    k, w = bits.shape
    z = ctx.prss.zero_bits(ctx.gate, k * w).reshape(k, w)
    for i in range(window):
        pair = of_distance(match, i, w)
        z ^= _products(pair, later(bits, 1 + i))
        z ^= _products(earlier(pair, 1 + i), earlier(bits, 1 + i))
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z.ravel()}, frozenset({theirs}))
    return Bits(z, expect(inbox, theirs, z.size).reshape(k, w))


def _products(x: Bits, y: Bits) -> U64:
    """Return this party's part of x AND y, (k, w), of one plane x. It may not be sent unmasked."""
    z: U64 = np.bitwise_xor(x.own & (y.own ^ y.next), x.next & y.own)
    return z
