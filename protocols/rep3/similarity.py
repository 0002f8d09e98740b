"""Scores of all pairs of records: how similar each of their fields is, weighed and added up.

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


def records(ctx: Context, side: Relation, scoring: Scoring, left: bool) -> Steps[Records]:
    """Make one side ready: rows that aren't there have no values.

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
    sets = [numbers[start:end] for start, end in pairwise(ends)]
    sizes = tuple(_size(ctx.me, bits, numbers[i - f]) for i, bits in enumerate(sets))
    if left:
        there = there.scale(scoring.in_units(field.unlike for field in scoring.fields))
    factor = left_factor if left else right_factor
    return Records(side.n, tuple(factor(bits) for bits in sets), sizes, factor(there))


def scores(ctx: Context, left: Records, right: Records, scoring: Scoring) -> Steps[Bits]:
    """Score all pairs of records.

    Args:
        right: a multiple of 64 records.

    Returns:
        max(0, score - threshold + 1) in whole units, (scoring.score_bits, left.n right.n / 64):
        the pairs of one left record lie together.

    Cost: 7 + ceil(log2 margin_width) + ceil(log2 score_width) rounds. With f fields of l levels
        in all and 8-bit integers P0 sends about 3 l + 4 bytes a pair, the others l + f + 4.
    Security: semi-honest, honest majority; no leakage.
    """
    pairs = left.n * right.n
    common = np.stack([products(x, y) for x, y in zip(left.sets, right.sets, strict=True)])
    term = yield from in_terms(ctx.at("common"), common)
    margins = [
        _margin(factors, term[i], left.sizes[i], right.sizes[i])
        for i, field in enumerate(scoring.fields)
        for factors in (level.factors for level in field.ascending)
    ]
    short = yield from below_zero(ctx.at("levels"), np.stack(margins).reshape(-1, pairs))
    weights = scoring.in_units(step for field in scoring.fields for step in field.steps)
    base = products(left.there, right.there).ravel()
    total = yield from weighed(ctx.at("score"), short.flip(ctx.me), weights, base)
    if ctx.me is Party.P0:
        total += total.dtype.type((1 - scoring.least) % (1 << scoring.score_width))
    return (yield from excess(ctx.at("excess"), total, scoring.score_bits))


def _margin(factors: tuple[int, int], common: Small, left: Small, right: Small) -> Small:
    """Return terms of a |A and B| - b (|A| + |B|), (m, n): below 0 if the level isn't reached."""
    a, b = (common.dtype.type(factor) for factor in factors)
    margin: Small = a * common
    margin -= (b * left)[:, None]
    margin -= b * right
    return margin


def _size(me: Party, bits: Short, there: Short) -> Small:
    """Count the bits of each value; one that isn't there counts 1."""
    summed: Small = bits.term(me).sum(axis=0, dtype=bits.own.dtype)
    summed = summed - there.term(me)
    if me is Party.P0:
        summed += bits.own.dtype.type(1)
    return summed
