"""Adding what each party chose by itself, such as its share of noise, to shared integers."""

from protocols.context import Context
from protocols.rep3.share import Arith
from protocols.rounds import U64, Round, Steps, expect


def add_own(ctx: Context, x: Arith, mine: U64) -> Steps[Arith]:
    """Add the sum of three vectors, of which each party brings one that nobody else sees.

    Args:
        x: shares over Z_2^64, any dimensions.
        mine: this party's own words, of the same shape.

    Returns:
        This party's share of x plus all three parties' words, mod 2^64.

    Raises:
        ValueError: if x and the words differ in shape.
        PeerMisbehaved: if the neighbour's vector has another type or length.

    Cost: 1 round; each party sends 8n bytes for n elements.
    Security: semi-honest, honest majority; no leakage. A party that deviates adds what it likes:
        the other two parties' words are in the sum all the same.
    """
    if x.shape != mine.shape:
        raise ValueError(f"shapes differ: {x.shape} and {mine.shape}")
    z = ctx.prss.zero(ctx.gate, mine.size) + mine.reshape(-1)
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z}, frozenset({theirs}))
    return x + Arith(z, expect(inbox, theirs, z.size)).reshape(*x.shape)
