"""Values at secret ranks: medians and other quantiles of groups whose rows have weights.

Running sums of weights are local, and with them a row's rank among all rows. What remains is
to tell each row at which rank its group's quantile lies, to compare, and to fetch the value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits, and_pairs
from protocols.rep3.convert import sign
from protocols.rep3.place import Placement, place_again, unplace
from protocols.rep3.relation import Column, Relation, split_planes
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import (
    previous_row,
    running_sum,
    running_xor,
    undo_running_sum,
    undo_running_xor,
)
from protocols.rep3.share import Arith, Bits, concat_planes, same_bit, stack
from protocols.rounds import U64, Party, Steps


@dataclass(frozen=True, slots=True)
class Rank:
    """The first of a group's values, in ascending order, at which a part of its weight is reached.

    Attributes:
        column: bits column; a NULL must have weight 0.
        weight: sum column, at least 0: how many values a row stands for.
        numerator, denominator: the part, above 0 and at most 1. The denominator times all
            weights together must stay below 2^62.
        beyond: the part must be exceeded.
    """

    name: str
    column: str
    weight: str
    numerator: int
    denominator: int
    beyond: bool = False


def thresholds(ends: Arith, ranks: Sequence[Rank]) -> Arith:
    """Return what denominator * running weight must reach in each group.

    Args:
        ends: shape (ranks, n): in row j the running sum of weights at the last row of group j,
            in rows after the last group the sum of all weights.

    Cost: local.
    """
    within = undo_running_sum(ends)
    before = ends - within
    return stack(
        [
            before[i].scale(rank.denominator) + within[i].scale(rank.numerator)
            for i, rank in enumerate(ranks)
        ]
    )


def values_at_ranks(
    ctx: Context,
    same: Bits,
    orders: Sequence[Relation],
    ends: Arith,
    placement: Placement,
    ranks: Sequence[Rank],
) -> Steps[tuple[Column, ...]]:
    """Fetch, for each rank and group, the value that stands at it.

    Args:
        same: one plane: whether a row is of the group of the row before.
        orders: for each rank the relation sorted by the groups and then the rank's column.
        ends: as for `thresholds`.
        placement: moves the last row of group j to row j.

    Returns:
        for each rank a nullable column, in row j for group j; other rows hold anything. A group
        without weight has its first value, or zeros if the rank is `beyond`.

    Cost: an `unplace` of one integer and a `place_again` of the value for each rank, a `sign`
        and three ANDs: 14 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    if not ranks:
        return ()
    n = orders[0].n
    weights = stack([order.sums[r.weight] for order, r in zip(orders, ranks, strict=True)])
    weighed = running_sum(weights)
    behind = thresholds(ends, ranks) - _scaled(_everywhere(weighed[:, -1:], n), ranks)
    steps = Rows(n, no_bits(n), behind - _next_row(behind))
    back = yield from unplace(ctx.at("back"), steps, placement)
    gap = _above_all(ctx.me, weighed, ranks) - _suffix_sum(back.sums)
    reached = (yield from sign(ctx.at("sign"), gap)).flip(ctx.me)
    before = yield from and_bits(ctx.at("before"), previous_row(reached), same)
    chosen = yield from and_bits(ctx.at("chosen"), reached, before.flip(ctx.me))
    found = [
        _nullable(ctx.me, order.columns[r.column]) for order, r in zip(orders, ranks, strict=True)
    ]
    pairs = [(column.planes, chosen[i : i + 1]) for i, column in enumerate(found)]
    values = concat_planes((yield from and_pairs(ctx.at("values"), pairs)))
    moved = yield from place_again(
        ctx.at("place"), Rows(n, running_xor(values), no_sums(n)), placement
    )
    parts = split_planes(
        undo_running_xor(moved.bits), [column.planes.shape[0] for column in found]
    )
    return tuple(replace(c, planes=part) for c, part in zip(found, parts, strict=True))


def _nullable(me: Party, column: Column) -> Column:
    if column.nullable:
        return column
    never = same_bit(me, 0, 64 * column.planes.shape[1])
    return Column(concat_planes([never, column.planes]), True)


def _above_all(me: Party, weighed: Arith, ranks: Sequence[Rank]) -> Arith:
    """Return denominator * (running weight - all weight), less one if it must be exceeded."""
    scaled = _scaled(weighed, ranks)
    all_weight = _everywhere(scaled[:, -1:], scaled.shape[1])
    beyond = np.array([[np.uint64(rank.beyond)] for rank in ranks], dtype=np.uint64)
    return (scaled - all_weight).shift(me, np.uint64(0) - beyond)


def _scaled(columns: Arith, ranks: Sequence[Rank]) -> Arith:
    return stack([columns[i].scale(rank.denominator) for i, rank in enumerate(ranks)])


def _everywhere(one: Arith, n: int) -> Arith:
    """Give n rows the value of the only one."""
    return Arith(np.repeat(one.own, n, axis=1), np.repeat(one.next, n, axis=1))


def _next_row(columns: Arith) -> Arith:
    return Arith(_up(columns.own), _up(columns.next))


def _up(columns: U64) -> U64:
    out = np.zeros_like(columns)
    out[:, :-1] = columns[:, 1:]
    return out


def _suffix_sum(columns: Arith) -> Arith:
    """Give each row the sum of all rows from itself on."""
    return Arith(
        np.cumsum(columns.own[:, ::-1], axis=-1)[:, ::-1],
        np.cumsum(columns.next[:, ::-1], axis=-1)[:, ::-1],
    )
