"""Linking persons by similarity inside blocks: rows near each other in the order of a key."""

from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.band import linked_rows
from protocols.rep3.ladder import Linked
from protocols.rep3.near_best import near_best, near_partners
from protocols.rep3.near_scores import in_one_block, near_scores, of_two_sides
from protocols.rep3.place import Placement
from protocols.rep3.relation import Column, Relation, split_planes, union
from protocols.rep3.scoring import Blocks, Scoring
from protocols.rep3.share import Bits, concat_planes, public_bits
from protocols.rep3.similar import check_left_over, check_sides, numbered, restored, without
from protocols.rep3.sort import sort_again
from protocols.rounds import Steps, parallel


def link_in_blocks(
    ctx: Context, left: Relation, right: Relation, scoring: Scoring, blocks: Blocks, rung: int
) -> Steps[Linked]:
    """Link each row to the one near it that is most similar, if it is so the other way round too.

    Pairs that `blocks` names are scored. A pair is linked if its score reaches the threshold, no
    pair with one of its rows has a higher one, and no other such pair has one of its rows.

    Args:
        left, right, rung: as for `link_similar`; further the columns of `blocks`. What may be
            NULL may be so on both sides.

    Returns:
        as a ladder, but the pair of a left row is in the place of that row.

    Raises:
        ValueError, BoundExceeded: as `link_similar`.

    Cost: a `check_bound`; with n = left.n + right.n, and h = 2 max_left, max_left rounded up to a
        multiple of 64, but n at most: a `sort` of n rows with all their columns, `near_scores`,
        `in_one_block` and `near_best` of h window pairs, and an `unplace` of n ids.
    Security: semi-honest, honest majority; leakage one bit a side, whether the bound was
        exceeded; neither how many rows a block has nor how many pairs count.
    """
    check_sides(left, right, scoring)
    _check_columns(left, right, scoring, blocks)
    yield from check_left_over(ctx.at("bound"), left.valid, right.valid, scoring)
    rows, placement = yield from _in_order(ctx.at("order"), left, right, scoring, blocks)
    match = yield from _matches(ctx, rows, scoring, blocks)
    linked = linked_rows(match, blocks.window)
    ids = rows.columns["id"].planes
    others = yield from near_partners(ctx.at("ids"), match, ids, blocks.window)
    n = left.n + right.n
    planes = concat_planes([linked, others])
    back = yield from restored(ctx.at("back"), planes, n, placement)
    at = left.n // 64
    taken, others = back[:1, :at], back[1:, :at]
    ids = yield from and_bits(ctx.at("own"), left.columns["id"].planes, taken)
    found = {"left": ids, "right": others, "rung": numbered(taken, rung, rung.bit_length())}
    pairs = Relation(left.n, taken, {name: Column(bits, False) for name, bits in found.items()}, {})
    return Linked(pairs, without(left, taken), without(right, back[:1, at:]))


def _check_columns(left: Relation, right: Relation, scoring: Scoring, blocks: Blocks) -> None:
    for name in (blocks.block, blocks.order, *(field.column for field in scoring.fields)):
        first, second = left.columns[name], right.columns[name]
        if first.planes.shape[0] != second.planes.shape[0] or first.nullable != second.nullable:
            raise ValueError(f"column {name} isn't the same kind left and right")


def _in_order(
    ctx: Context, left: Relation, right: Relation, scoring: Scoring, blocks: Blocks
) -> Steps[tuple[Relation, Placement]]:
    """Sort the rows of both sides by block, and keep as many as may be in any.

    Returns:
        the rows that are in a block, with a column "side": 0 left, 1 right; and how rows came
        to be in this order.
    """
    names = ["id", *(field.column for field in scoring.fields)]
    both = union(left.select([*names, blocks.block, blocks.order], ()), right)
    block, order = both.columns[blocks.block], both.columns[blocks.order]
    there = both.valid
    if block.nullable:
        there = yield from and_bits(ctx.at("there"), there, block.null.flip(ctx.me))
    side = np.zeros((1, both.n // 64), dtype=np.uint64)
    side[:, left.n // 64 :] = ~np.uint64(0)
    carried = both.select(names, ())
    carried = replace(
        carried, columns={**carried.columns, "side": Column(public_bits(ctx.me, side), False)}
    )
    key = concat_planes([there.flip(ctx.me), block.value, order.value])
    rows, key, placement = yield from sort_again(ctx.at("sort"), carried.rows(), key)
    gone, block_bits, _ = split_planes(key, [1, block.value.shape[0], order.value.shape[0]])
    ordered = carried.with_rows(rows)
    columns = {**ordered.columns, blocks.block: Column(block_bits, False)}
    ordered = replace(ordered, valid=gone.flip(ctx.me), columns=columns)
    most = 2 * 64 * -(-scoring.max_left // 64)
    return ordered.head(min(both.n, most)), placement


def _matches(ctx: Context, rows: Relation, scoring: Scoring, blocks: Blocks) -> Steps[Bits]:
    """Return which pairs of near rows are linked, as a band of one plane."""
    window = blocks.window
    block = rows.columns[blocks.block].planes
    same, score = yield from parallel(
        in_one_block(ctx.at("block"), rows.valid.flip(ctx.me), block, window),
        near_scores(ctx.at("score"), rows, scoring, window),
    )
    two = of_two_sides(rows.columns["side"].planes, window)
    counted = yield from and_bits(ctx.at("sides"), same, two)
    score = yield from and_bits(ctx.at("counted"), score, counted)
    return (yield from near_best(ctx.at("best"), score, window))
