"""Linking persons of two relations by similarity: the probabilistic pass, one to one."""

from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.best_match import best_matches, matched_columns, matched_rows, partners
from protocols.rep3.bound import check_bound
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.fold import side_by_side
from protocols.rep3.ladder import Linked
from protocols.rep3.place import Placement, compact, unplace
from protocols.rep3.relation import Column, Relation
from protocols.rep3.rows import Rows, no_sums
from protocols.rep3.scoring import Scoring
from protocols.rep3.share import Arith, Bits, concat_planes
from protocols.rep3.similarity import Records, records, scores
from protocols.rounds import U64, Steps, parallel

TILE = 1 << 19  # pairs that are scored at once: about 150 bytes each


def link_similar(
    ctx: Context, left: Relation, right: Relation, scoring: Scoring, rung: int
) -> Steps[Linked]:
    """Link each row to the one that is most similar, if it is so the other way round too.

    All pairs of rows are scored. A pair is linked if its score reaches the threshold, no pair of
    its row or its column has a higher one, and no other such pair shares its row or column.

    Args:
        left, right: with a bits column "id" that isn't nullable and the columns of all fields,
            of one width on both sides. Rows that aren't there are linked to nothing.
        rung: what the pairs say by which rung they were linked, above 0.

    Returns:
        as a ladder, but pairs have as many rows as may be left over, in any order.

    Raises:
        ValueError: if columns don't fit the scoring.
        BoundExceeded: if more than `scoring.max_left` rows are there on a side.

    Cost: for each side a `check_bound`, a `compact` and an `unplace`; with m = max_left rounded
        up to a multiple of 64, a `scores` of m^2 pairs in tiles, and a `best_matches`.
    Security: semi-honest, honest majority; leakage one bit a side, whether the bound was
        exceeded.
    """
    check_sides(left, right, scoring)
    names = ["id", *(field.column for field in scoring.fields)]
    first, second = left.select(names, ()), right.select(names, ())
    yield from check_left_over(ctx.at("bound"), left.valid, right.valid, scoring)
    (first, from_left), (second, from_right) = yield from parallel(
        _compacted(ctx.at("left"), first, scoring.max_left),
        _compacted(ctx.at("right"), second, scoring.max_left),
    )
    match = yield from matches(ctx, first, second, scoring)
    rows, columns = matched_rows(match, first.n), matched_columns(match, first.n)
    taken = yield from parallel(
        restored(ctx.at("to_left"), rows, left.n, from_left),
        restored(ctx.at("to_right"), columns, right.n, from_right),
    )
    ids, others = yield from parallel(
        and_bits(ctx.at("own"), first.columns["id"].planes, rows),
        partners(ctx.at("ids"), match, first.n, second.columns["id"].planes),
    )
    found = {"left": ids, "right": others, "rung": numbered(rows, rung, rung.bit_length())}
    pairs = Relation(first.n, rows, {name: Column(bits, False) for name, bits in found.items()}, {})
    return Linked(pairs, without(left, taken[0]), without(right, taken[1]))


def numbered(rows: Bits, number: int, bits: int) -> Bits:
    """Return planes that hold a public number in marked rows, and zero in others."""
    marks = [number >> bit & 1 for bit in reversed(range(bits))]
    return concat_planes([rows if mark else rows ^ rows for mark in marks])


def matches(ctx: Context, left: Relation, right: Relation, scoring: Scoring) -> Steps[Bits]:
    """Return which pairs of two relations are linked, one plane, (1, left.n right.n / 64).

    Cost and security: `records`, `scores` of all pairs in tiles, and `best_matches`.
    """
    first, second = yield from parallel(
        records(ctx.at("rows"), left, scoring, left=True),
        records(ctx.at("columns"), right, scoring, left=False),
    )
    score = yield from _tiled(ctx.at("tile"), first, second, scoring)
    return (yield from best_matches(ctx.at("best"), score, left.n))


def _tiled(ctx: Context, left: Records, right: Records, scoring: Scoring) -> Steps[Bits]:
    """Score all pairs, a few left records at a time."""
    step = max(1, TILE // right.n)
    tiles = []
    for start in range(0, left.n, step):
        rows = left.rows(start, min(start + step, left.n))
        tiles.append((yield from scores(ctx.at(f"{start}"), rows, right, scoring)))
    return side_by_side(tiles)


def check_sides(left: Relation, right: Relation, scoring: Scoring) -> None:
    """Refuse columns that don't fit the scoring, or each other, with a ValueError."""
    for name in ("id", *(field.column for field in scoring.fields)):
        widths = [side.columns[name].value.shape[0] for side in (left, right)]
        if widths[0] != widths[1]:
            raise ValueError(f"column {name} has {widths[0]} bits left, {widths[1]} right")
    if left.columns["id"].nullable or right.columns["id"].nullable:
        raise ValueError("ids may not be NULL")


def check_left_over(ctx: Context, left: Bits, right: Bits, scoring: Scoring) -> Steps[None]:
    """Open whether there are more rows than may be left over, for each side."""
    sides = yield from parallel(
        bits_to_arith(ctx.at("left"), left, 64 * left.shape[1]),
        bits_to_arith(ctx.at("right"), right, 64 * right.shape[1]),
    )

    def totals(halves: list[U64]) -> U64:
        return np.array([half.sum(dtype=np.uint64) for half in halves])

    both = Arith(totals([s.own for s in sides]), totals([s.next for s in sides]))
    yield from check_bound(ctx, both, scoring.max_left, "records left over")


def _compacted(ctx: Context, side: Relation, most: int) -> Steps[tuple[Relation, Placement]]:
    """Move the rows that are there to the front, and keep as many as there may be."""
    rows = Rows(side.n, concat_planes([side.valid, side.rows().bits]), no_sums(side.n))
    moved, placement = yield from compact(ctx, rows, side.valid)
    columns = side.with_rows(replace(moved, bits=moved.bits[1:]))
    return replace(columns, valid=moved.bits[:1]).head(min(side.n, -(-most // 64) * 64)), placement


def restored(ctx: Context, planes: Bits, n: int, placement: Placement) -> Steps[Bits]:
    """Move what was computed for the rows in front back to where they were, zeros elsewhere."""
    behind = (0, 0), (0, n // 64 - planes.shape[1])
    padded = Bits(np.pad(planes.own, behind), np.pad(planes.next, behind))
    rows = yield from unplace(ctx, Rows(n, padded, no_sums(n)), placement)
    return rows.bits


def without(relation: Relation, linked: Bits) -> Relation:
    """Return a relation in which these of its rows, (1, n / 64), are not there."""
    return replace(relation, valid=relation.valid ^ linked, clean=False, sorted_by=None)
