"""Counts rounded and redacted while they are shared: exact division by a public number.

x // b is the high part of x * m, where m is 2^s / b rounded up and s has as many bits more than
x as b has: then what m is too large adds less than 1 / b.
"""

from dataclasses import dataclass

from protocols.context import Context
from protocols.rep3.convert import arith_to_bits, bits_to_arith, bits_to_number, sign
from protocols.rep3.multiply import multiply
from protocols.rep3.share import Arith, stack
from protocols.rounds import Steps, parallel

PRODUCT_BITS = 63  # of x * m


@dataclass(frozen=True, slots=True)
class Rule:
    """How counts are told.

    Attributes:
        base: they become multiples of it, halves up; 1 leaves them as they are.
        midpoint: instead x > 0 becomes base * ceil(x / base) - base // 2, and 0 stays 0.
        redact: counts up to this aren't told at all, if it is above 0.
    """

    base: int = 1
    midpoint: bool = False
    redact: int = 0

    @property
    def most(self) -> int:
        """The largest count that can be rounded."""
        return (1 << (PRODUCT_BITS - self.base.bit_length()) // 2) - 1 - self.base


def rounded(ctx: Context, counts: Arith, rule: Rule) -> Steps[tuple[Arith, Arith]]:
    """Round counts, and tell which are redacted.

    Args:
        counts: (m, n), from 0 to `rule.most`; n is a multiple of 64.

    Returns:
        (m, n) rounded counts, 0 where they are redacted, and (m, n) of 0 and 1: redacted or not.

    Cost: a `divided`, a `sign` of one number a count, of midpoints two, and a multiplication: 11
        rounds; without a base 10.
    Security: semi-honest, honest majority; no leakage.
    """
    m = counts.shape[0]
    told, flags = yield from parallel(
        _multiples(ctx.at("multiples"), counts, rule), _flags(ctx.at("flags"), counts, rule)
    )
    if rule.midpoint:
        told = told - flags[m:].scale(-1).shift(ctx.me, 1).scale(rule.base // 2)
    hidden = yield from multiply(ctx.at("redact"), flags[:m], told)
    return told - hidden, flags[:m]


def _multiples(ctx: Context, counts: Arith, rule: Rule) -> Steps[Arith]:
    """Return the next multiple of the base from each count up, or the nearest."""
    if rule.base == 1:
        return counts
    up = rule.base - 1 if rule.midpoint else rule.base // 2
    quotient = yield from divided(ctx, counts.shift(ctx.me, up), rule.base)
    return quotient.scale(rule.base)


def _flags(ctx: Context, counts: Arith, rule: Rule) -> Steps[Arith]:
    """Return as 0 and 1 which counts are redacted, and of midpoints also which are zero."""
    tested = [counts.shift(ctx.me, -1 - rule.redact if rule.redact else 0)]
    if rule.midpoint:
        tested.append(counts.shift(ctx.me, -1))
    signs = yield from sign(ctx.at("sign"), stack(tested))
    return (yield from bits_to_arith(ctx.at("arith"), signs, counts.shape[1]))


def divided(ctx: Context, x: Arith, by: int) -> Steps[Arith]:
    """Return x // by for x of shape (m, n), each from 0 to 2^k - 1, k = PRODUCT_BITS / 2.

    Precisely k is half of what PRODUCT_BITS leaves beside the bits of `by`.

    Cost: 2 + log2 of PRODUCT_BITS rounds, then the 2 of `bits_to_number`.
    Security: semi-honest, honest majority; no leakage.
    """
    m, n = x.shape
    k = (PRODUCT_BITS - by.bit_length()) // 2
    shift = k + by.bit_length()
    product = x.reshape(m * n).scale(-(-(1 << shift) // by))
    planes = yield from arith_to_bits(ctx.at("bits"), product, k + shift)
    quotient = yield from bits_to_number(ctx.at("number"), planes[:k], m * n)
    return quotient.reshape(m, n)
