"""Scores of each row and the rows that follow it, for rows in the order of their blocks."""

from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.band import later, of_firsts, of_seconds
from protocols.rep3.compare import equal_zero
from protocols.rep3.dots import near_products
from protocols.rep3.fold import side_by_side
from protocols.rep3.relation import Relation
from protocols.rep3.scan import next_row
from protocols.rep3.scoring import WINDOW, Scoring
from protocols.rep3.share import Bits, concat_planes
from protocols.rep3.short import Small
from protocols.rep3.similarity import Compared, Records, numbers_of, weigh
from protocols.rounds import U64, Steps

TILE = 1 << 19  # pairs that are scored at once: about 150 bytes each
_BEHIND = -(-WINDOW // 64)  # words that hold the rows behind the last one of a tile


def near_scores(ctx: Context, side: Relation, scoring: Scoring, window: int) -> Steps[Bits]:
    """Score each row with the rows that follow it.

    Returns:
        of each pair what `weigh` returns, as a band of `window` distances; 0 where the second
        row would be behind the last.

    Cost: for each tile of 2^19 pairs, one after another, a `numbers_of` its rows and 64 more, and
        a `weigh`. Security: as these.
    """
    w = side.n // 64
    step = max(1, TILE // (64 * window))
    tiles = []
    for start in range(0, w, step):
        stop = min(start + step, w)
        here = ctx.at(f"{start}")
        numbers = yield from numbers_of(here.at("rows"), _words(side, start, stop), scoring)
        firsts = numbers.left(scoring).rows(0, 64 * (stop - start))
        compared = _compared(firsts, numbers.right(), window)
        score = yield from weigh(here, compared, scoring)
        tiles.append(score.reshape(-1, stop - start))
    k = scoring.score_bits
    return side_by_side(tiles).reshape(k, window * w)


def in_one_block(ctx: Context, gone: Bits, block: Bits, window: int) -> Steps[Bits]:
    """Tell which pairs of near rows are of one block, as a band of one plane.

    Args:
        gone: one plane, (1, w): rows in no block.
        block: planes (k, w), in ascending order.

    Cost: an `equal_zero` of k + 2 planes, and ceil(log2 window) rounds with one AND a pair.
    Security: semi-honest, honest majority; no leakage.
    """
    unlike = concat_planes([gone, next_row(gone), block ^ next_row(block)])
    same = [(yield from equal_zero(ctx.at("next"), unlike))]
    while (m := len(same)) < window:  # as far as m rows behind, and from there as far as i more
        more = min(m, window - m)
        beyond = concat_planes([later(one, m) for one in same[:more]])
        met = yield from and_bits(ctx.at(f"{m}"), beyond, same[-1])
        same += [met[i : i + 1] for i in range(more)]
    return side_by_side(same)


def of_two_sides(side: Bits, window: int) -> Bits:
    """Tell which pairs of near rows are of different sides, as a band of one plane; local."""
    return of_firsts(side, window) ^ of_seconds(side, window)


def _compared(firsts: Records, rows: Records, window: int) -> Compared:
    common = [
        near_products(x, y, window).ravel() for x, y in zip(firsts.sets, rows.sets, strict=True)
    ]
    sizes = zip(firsts.sizes, rows.sizes, strict=True)
    summed = tuple(_sums(mine, theirs, window) for mine, theirs in sizes)
    base = near_products(firsts.there, rows.there, window).ravel()
    return Compared(np.stack(common), summed, base)


def _sums(mine: Small, theirs: Small, window: int) -> Small:
    near = np.lib.stride_tricks.sliding_window_view(theirs[1:], mine.size)[:window]
    summed: Small = (near + mine).ravel()
    return summed


def _words(side: Relation, start: int, stop: int) -> Relation:
    """Return these words of rows and one more, zeros behind the last."""
    more = (0, 0), (0, max(0, stop + _BEHIND - side.n // 64))

    def cut(planes: U64) -> U64:
        return np.pad(planes[:, start : stop + _BEHIND], more)

    def part(planes: Bits) -> Bits:
        return Bits(cut(planes.own), cut(planes.next))

    columns = {name: replace(c, planes=part(c.planes)) for name, c in side.columns.items()}
    return Relation(64 * (stop - start + _BEHIND), part(side.valid), columns, {})
