"""Opening shared values to all three parties. What is opened must stand in the plan."""

import hashlib

import numpy as np

from protocols.context import Context
from protocols.rep3.share import Arith, Bits
from protocols.rounds import U64, PeerMisbehaved, Round, Steps, expect

DIGEST_WORDS = 4


def reveal(ctx: Context, x: Arith) -> Steps[U64]:
    """Open integers to every party; from then on they are public.

    Returns:
        The values mod 2^64, in the shape of x.

    Raises:
        PeerMisbehaved: if what the two neighbours say about the missing part differs; both
            are suspects.

    Cost: 1 round; each party sends 8n + 32 bytes for n elements.
    Security: malicious with abort, for the opening alone: one corrupt party can stop it but
        not change what an honest party takes for the value. Leakage: the values.
    """
    missing = yield from _missing_part(ctx, x.own, x.next)
    opened = x.own + x.next
    opened += missing
    return opened


def reveal_bits(ctx: Context, x: Bits) -> Steps[U64]:
    """Open bit planes, shape (k, w), to every party, as `reveal` does.

    Bits past the last row are opened too: whoever calls sees to it that they say nothing.

    Cost: 1 round; each party sends 8kw + 32 bytes. Security: as `reveal`.
    """
    missing = yield from _missing_part(ctx, x.own, x.next)
    opened = x.own ^ x.next
    opened ^= missing
    return opened


def _missing_part(ctx: Context, own: U64, following: U64) -> Steps[U64]:
    """Give each neighbour what it lacks, one in full and one as a digest; take ours, checked."""
    part, digest = (ctx.me.next, ctx.at("part").gate), (ctx.me.prev, ctx.at("digest").gate)
    send = {
        (ctx.me.prev, part[1]): following.ravel(),
        (ctx.me.next, digest[1]): _digest(own.ravel()),
    }
    inbox = yield Round(send, frozenset({part, digest}))
    missing = expect(inbox, part, own.size)
    if not np.array_equal(_digest(missing), expect(inbox, digest, DIGEST_WORDS)):
        neighbours = frozenset({ctx.me.prev, ctx.me.next})
        raise PeerMisbehaved(neighbours, ctx.gate, "the two copies of the missing part differ")
    return missing.reshape(own.shape)


def _digest(words: U64) -> U64:
    digest = hashlib.blake2b(np.ascontiguousarray(words).data, digest_size=8 * DIGEST_WORDS)
    return np.frombuffer(digest.digest(), dtype=np.uint64)
