"""Groups along one line, of which those that are withheld must be several, and large together."""

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.lines import Cells, everywhere, smallest
from protocols.rep3.multiply import multiply
from protocols.rep3.share import Bits, stack
from protocols.rounds import Steps, parallel


def all_or_none(ctx: Context, cells: Cells, passing: Bits) -> Steps[Bits]:
    """Withhold all if anything is."""
    flags = yield from bits_to_arith(ctx.at("flags"), passing, cells.n)
    missing = everywhere(cells.there - flags[0])
    fine = yield from sign(ctx.at("sign"), stack([missing.shift(ctx.me, -1)]))
    return (yield from and_bits(ctx.at("keep"), passing, fine))


def along(ctx: Context, cells: Cells, passing: Bits) -> Steps[Bits]:
    """Treat all groups as one line."""
    flags = yield from bits_to_arith(ctx.at("flags"), passing, cells.n)
    missing = cells.there - flags[0]
    held, least = yield from parallel(
        multiply(ctx.at("held"), missing, cells.persons),
        smallest(ctx.at("smallest"), cells.persons, flags[0]),
    )
    number, together = everywhere(missing), everywhere(held)
    some, short, alone = (number.scale(-1), together.shift(ctx.me, -cells.least), number)
    tested = stack([some, short, alone.shift(ctx.me, -2)])
    signs = yield from sign(ctx.at("sign"), tested)
    few = yield from either(ctx.at("few"), signs[1:2], signs[2:])
    needed = yield from and_bits(ctx.at("needed"), few, signs[:1])
    taken = yield from and_bits(ctx.at("taken"), needed, least)
    return passing ^ taken


def either(ctx: Context, x: Bits, y: Bits) -> Steps[Bits]:
    """OR two arrays of planes."""
    both = yield from and_bits(ctx, x, y)
    return x ^ y ^ both
