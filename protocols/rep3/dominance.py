"""Whether one or two contributors have too much of a group's sum: n-k and p % rules, exactly.

The largest contributor x1 of a sum T matters only if it is above a known part of T: no more than
one is, unless the rule is broken anyway. So x1 is a sum, too, and the second largest x2 needs no
search: the rule is broken where another contributor is above what T and x1 leave.
"""

from dataclasses import dataclass
from fractions import Fraction

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.multiply import multiply
from protocols.rep3.segments import Segments
from protocols.rep3.share import Arith, stack
from protocols.rounds import Steps

SCALE = 300  # contributions and sums times this stay below 2^62


@dataclass(frozen=True, slots=True)
class Limits:
    """A group is dominated if 100 (x1 + x2) > top_two * T, or 100 (T - x1 - x2) < p_percent * x1.

    Attributes:
        top_two: percent; 100 turns the rule off. p_percent: 0 turns it off.
    """

    top_two: int = 100
    p_percent: int = 0

    @property
    def large(self) -> tuple[int, int]:
        """Return a and b: without a contributor above b / a of the sum no rule is broken."""
        parts = [Fraction(100, 200 + self.p_percent)] if self.p_percent else []
        parts += [Fraction(self.top_two, 200)] if self.top_two < 100 else []
        part = min(parts)
        return part.denominator, part.numerator


def dominated(
    ctx: Context, groups: Segments, parts: Arith, sums: Arith, limits: Limits
) -> Steps[Arith]:
    """Tell which groups' sums one or two contributors dominate.

    Args:
        groups: of the rows, each of which is one contributor to its group.
        parts: (m, n), of m sums what each contributor adds: from 0 to 2^62 / SCALE.
        sums: (m, groups.most) their totals.

    Returns:
        (m, groups.most) of 0 and 1.

    Cost: for each sum four shuffles of a column of n, two `sign`s, two bits to integers and a
        multiplication; 38 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    m, n = parts.shape
    above, below = limits.large
    whole = yield from groups.spread(ctx.at("whole"), sums.scale(below))
    signs = yield from sign(ctx.at("large"), whole - parts.scale(above))
    flags = yield from bits_to_arith(ctx.at("flags"), signs, n)
    largest = yield from multiply(ctx.at("largest"), flags, parts)
    first = yield from groups.totals(ctx.at("first"), largest)
    left = yield from _left(ctx.at("left"), sums, first, limits)
    bound = yield from groups.spread(ctx.at("bound"), left)
    signs = yield from sign(ctx.at("second"), bound - parts.scale(100))
    flags = yield from bits_to_arith(ctx.at("counted"), signs, n)
    others = yield from groups.totals(ctx.at("others"), flags)
    broken = yield from sign(ctx.at("broken"), stack([left, others.scale(-1).shift(ctx.me, 1)]))
    either = yield from bits_to_arith(ctx.at("either"), broken, groups.most)
    both = yield from multiply(ctx.at("both"), either[:m], either[m:])
    return either[:m] + either[m:] - both


def _left(ctx: Context, sums: Arith, first: Arith, limits: Limits) -> Steps[Arith]:
    """Return 100 times what a second contributor may have; less than 0 if nothing."""
    by_sum = sums.scale(limits.top_two) - first.scale(100)
    by_first = sums.scale(100) - first.scale(100 + limits.p_percent)
    if not limits.p_percent:
        return by_sum
    if limits.top_two == 100:
        return by_first
    less = yield from sign(ctx.at("sign"), by_first - by_sum)
    flag = yield from bits_to_arith(ctx.at("flag"), less, sums.shape[1])
    return by_sum + (yield from multiply(ctx.at("choose"), flag, by_first - by_sum))
