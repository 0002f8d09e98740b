"""Who is whose best match both ways, and the ids of partners: one to one, ties left out."""

from collections.abc import Sequence

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal_zero
from protocols.rep3.fold import (
    exactly_one,
    larger,
    over_columns,
    over_rows,
    side_by_side,
    spread_columns,
    spread_rows,
)
from protocols.rep3.share import Bits, concat_planes
from protocols.rounds import U64, Round, Steps, expect, parallel

SPAN = 1 << 24  # pairs that are compared at once: some 20 bytes each


def best_matches(ctx: Context, score: Bits, m: int) -> Steps[Bits]:
    """Find pairs that have the best score of their row and of their column, and no rival in that.

    A pair is a candidate if no other pair of its row or its column has a higher score. It is a
    match if no other candidate shares its row or its column.

    Args:
        score: planes (k, m w) of an m by 64 w matrix, zero in pairs that may not match.

    Returns:
        One plane, (1, m w): at most one bit in each row and each column.

    Cost: with l = ceil(log2 m), or ceil(log2 w) + 6 if that is more, (ceil(log2 (k + 1)) + 2) l
        + ceil(log2 (2k + 1)) + ceil(log2 k) + 2 rounds for up to 2^24 pairs, somewhat more for
        more; about 7 k AND gates a pair.
    Security: semi-honest, honest majority; no leakage, not even how many match.
    """
    w = score.shape[1] // m
    step = max(1, SPAN // (64 * w))
    parts = [score[:, w * start : w * (start + step)] for start in range(0, m, step)]
    of_row, of_column = yield from _highest(ctx.at("highest"), parts, w)
    none = yield from equal_zero(ctx.at("none"), of_row)
    best = []
    for i, part in enumerate(parts):
        of_rows = concat_planes([of_row, none])[:, i * step : (i + 1) * step]
        best.append((yield from _candidates(ctx.at(f"best{i}"), part, of_rows, of_column)))
    return (yield from _without_rivals(ctx, side_by_side(best), m))


def _highest(ctx: Context, parts: Sequence[Bits], w: int) -> Steps[tuple[Bits, Bits]]:
    """Return the highest score of each row and of each column, some rows at a time."""
    rows, columns = [], []
    for i, part in enumerate(parts):
        m = part.shape[1] // w
        of_row, of_column = yield from parallel(
            over_columns(ctx.at(f"rows{i}"), part, m, larger),
            over_rows(ctx.at(f"columns{i}"), part, m, larger),
        )
        rows.append(of_row)
        columns.append(of_column)
    whole = side_by_side(columns)
    return side_by_side(rows), (yield from over_rows(ctx, whole, len(columns), larger))


def _candidates(ctx: Context, score: Bits, of_row: Bits, of_column: Bits) -> Steps[Bits]:
    """Tell which pairs have the highest score of row and column, but none in rows without any.

    Args:
        of_row: its last plane says that a row has no score.
    """
    m, w = of_row.shape[1], of_column.shape[1]
    rows = spread_rows(of_row, w)
    off = [score ^ rows[:-1], score ^ spread_columns(of_column, m), rows[-1:]]
    return (yield from equal_zero(ctx, concat_planes(off)))


def _without_rivals(ctx: Context, best: Bits, m: int) -> Steps[Bits]:
    """Keep candidates that are alone in their row and in their column."""
    w = best.shape[1] // m
    start = concat_planes([best, best])
    of_row, of_column = yield from parallel(
        over_columns(ctx.at("in_row"), start, m, exactly_one),
        over_rows(ctx.at("in_column"), start, m, exactly_one),
    )
    alone = yield from and_bits(ctx.at("row"), best, spread_rows(of_row[1:], w))
    return (yield from and_bits(ctx.at("column"), alone, spread_columns(of_column[1:], m)))


def partners(ctx: Context, match: Bits, m: int, columns: Bits) -> Steps[Bits]:
    """Give each row the bits of the column that it matches, zeros if it matches none.

    Args:
        match: one plane (1, m w), at most one bit a row; m a multiple of 64.
        columns: planes (k, w) that belong to the columns.

    Returns:
        planes (k, m / 64).

    Cost: 1 round; each party sends km / 8 bytes, however many pairs there are.
    Security: semi-honest, honest majority; no leakage.
    """
    own, following = match.own.reshape(m, -1), match.next.reshape(m, -1)
    z = np.stack([
        _parities((own & (a ^ b)) ^ (following & a))
        for a, b in zip(columns.own, columns.next, strict=True)
    ])  # fmt: skip
    z ^= ctx.prss.zero_bits(ctx.gate, z.size).reshape(z.shape)
    theirs = (ctx.me.next, ctx.gate)
    inbox = yield Round({(ctx.me.prev, ctx.gate): z.ravel()}, frozenset({theirs}))
    return Bits(z, expect(inbox, theirs, z.size).reshape(z.shape))


def matched_rows(match: Bits, m: int) -> Bits:
    """Tell which rows match, (1, m / 64): local, as a row has one match at most."""

    def parities(words: U64) -> U64:
        return _parities(words.reshape(m, -1))[None]

    return Bits(parities(match.own), parities(match.next))


def matched_columns(match: Bits, m: int) -> Bits:
    """Tell which columns match, (1, w): local."""

    def parities(words: U64) -> U64:
        odd: U64 = np.bitwise_xor.reduce(words.reshape(m, -1), axis=0)
        return odd[None]

    return Bits(parities(match.own), parities(match.next))


def _parities(cells: U64) -> U64:
    """Return the parity of each row of words as a bit, (m / 64,) words."""
    odd = np.bitwise_count(np.bitwise_xor.reduce(cells, axis=1)) & 1
    return np.packbits(odd.astype(np.uint8), bitorder="little").view(np.uint64)
