"""Scores of pairs of records: how similar each of their fields is, weighed and added up.

|A and B| of two sets of bits is a dot product, which is shared again as one short integer, however
long the sets are. The sets' sizes are known in shares already, so 2 |A and B| >= d (|A| + |B|) is
the sign of a number that costs nothing more; and only signs are computed gate by gate.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.dots import Factor, left_factor, products, right_factor
from protocols.rep3.relation import Relation
from protocols.rep3.scoring import Scoring
from protocols.rep3.share import Bits, concat_planes
from protocols.rep3.short import Short, Small, bits_to_short, in_terms, weighed
from protocols.rep3.terms import below_zero, excess
from protocols.rounds import Party, Steps, parallel


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """One side of a comparison, made ready.

    Attributes:
        sets: for each field, its bits.
        sizes: for each field, this party's term of how many bits are set, (n,); a missing value
            counts as one bit that nothing has.
        there: for each field whether there is a value, times the weight of unlike ones at the left.
    """

    n: int
    sets: tuple[Factor, ...]
    sizes: tuple[Small, ...]
    there: Factor

    def rows(self, start: int, stop: int) -> "Records":
        sets = tuple(one.columns(start, stop) for one in self.sets)
        sizes = tuple(one[start:stop] for one in self.sizes)
        return Records(stop - start, sets, sizes, self.there.columns(start, stop))


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One side of a comparison in integers: as `Records`, but that `there` isn't weighed."""

    n: int
    sets: tuple[Short, ...]
    sizes: tuple[Small, ...]
    there: Short

    def left(self, scoring: Scoring) -> Records:
        there = self.there.scale(scoring.in_units(field.unlike for field in scoring.fields))
        return Records(self.n, tuple(map(left_factor, self.sets)), self.sizes, left_factor(there))

    def right(self) -> Records:
        there = right_factor(self.there)
        return Records(self.n, tuple(map(right_factor, self.sets)), self.sizes, there)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What is known of pairs, in this party's terms or additive shares that aren't masked.

    Attributes:
        common: |A and B| of each field, (f, pairs).
        sizes: for each field |A| + |B|, (pairs,), in terms.
        base: the sum of what pairs weigh whose fields are there and alike in nothing, (pairs,).
    """

    common: Small
    sizes: tuple[Small, ...]
    base: Small


def records(ctx: Context, side: Relation, scoring: Scoring, left: bool) -> Steps[Records]:
    """Make one side ready: rows that aren't there have no values.

    Cost and security: those of `numbers_of`.
    """
    numbers = yield from numbers_of(ctx, side, scoring)
    return numbers.left(scoring) if left else numbers.right()


def numbers_of(ctx: Context, side: Relation, scoring: Scoring) -> Steps[Numbers]:
    """Turn the values of rows into integers: rows that aren't there have none.

    Cost: 3 rounds; with k bits in all of f fields, an AND of n (k + f) bits, and n (k + f) and
        n f integers of `bits_to_short`. Security: semi-honest, honest majority; no leakage.
    """
    columns = [side.columns[field.column] for field in scoring.fields]
    present = [c.null.flip(ctx.me) if c.nullable else side.valid for c in columns]
    planes = concat_planes([*(c.value for c in columns), *present])
    planes = yield from and_bits(ctx.at("valid"), planes, side.valid)
    f = len(columns)
    numbers, there = yield from parallel(
        bits_to_short(ctx.at("sets"), planes, side.n, scoring.margin_width),
        bits_to_short(ctx.at("there"), planes[-f:], side.n, scoring.score_width),
    )
    ends = accumulate((c.value.shape[0] for c in columns), initial=0)
    sets = tuple(numbers[start:end] for start, end in pairwise(ends))
    sizes = tuple(_size(ctx.me, bits, numbers[i - f]) for i, bits in enumerate(sets))
    return Numbers(side.n, sets, sizes, there)


def scores(ctx: Context, left: Records, right: Records, scoring: Scoring) -> Steps[Bits]:
    """Score all pairs of records.

    Args:
        right: a multiple of 64 records.

    Returns:
        as `weigh`; the pairs of one left record lie together.

    Cost and security: those of `weigh`.
    """
    common = np.stack([products(x, y).ravel() for x, y in zip(left.sets, right.sets, strict=True)])
    sizes = zip(left.sizes, right.sizes, strict=True)
    summed = tuple((mine[:, None] + theirs).ravel() for mine, theirs in sizes)
    base = products(left.there, right.there).ravel()
    return (yield from weigh(ctx, Compared(common, summed, base), scoring))


def weigh(ctx: Context, compared: Compared, scoring: Scoring) -> Steps[Bits]:
    """Score pairs, a multiple of 64, of which it is known what they have in common.

    Returns:
        max(0, score - threshold + 1) in whole units, (scoring.score_bits, pairs / 64).

    Cost: 7 + ceil(log2 margin_width) + ceil(log2 score_width) rounds. With f fields of l levels
        in all and 8-bit integers P0 sends about 3 l + 4 bytes a pair, the others l + f + 4.
    Security: semi-honest, honest majority; no leakage.
    """
    term = yield from in_terms(ctx.at("common"), compared.common)
    margins = [
        _margin(factors, term[i], compared.sizes[i])
        for i, field in enumerate(scoring.fields)
        for factors in (level.factors for level in field.ascending)
    ]
    short = yield from below_zero(ctx.at("levels"), np.stack(margins))
    weights = scoring.in_units(step for field in scoring.fields for step in field.steps)
    total = yield from weighed(ctx.at("score"), short.flip(ctx.me), weights, compared.base)
    if ctx.me is Party.P0:
        total += total.dtype.type((1 - scoring.least) % (1 << scoring.score_width))
    return (yield from excess(ctx.at("excess"), total, scoring.score_bits))


def _margin(factors: tuple[int, int], common: Small, sizes: Small) -> Small:
    """Return terms of a |A and B| - b (|A| + |B|), (pairs,): below 0 if a level isn't reached."""
    a, b = (common.dtype.type(factor) for factor in factors)
    margin: Small = a * common
    margin -= b * sizes
    return margin


def _size(me: Party, bits: Short, there: Short) -> Small:
    """Count the bits of each value; one that isn't there counts 1."""
    summed: Small = bits.term(me).sum(axis=0, dtype=bits.own.dtype)
    summed = summed - there.term(me)
    if me is Party.P0:
        summed += bits.own.dtype.type(1)
    return summed
