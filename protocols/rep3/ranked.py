"""Rows of two sides in the orders of several keys, where each side's owner knows how its own rows
rank: they are placed by these ranks, and merged. That takes half the rounds of sorting them, and a
third of the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from protocols.context import Context
from protocols.rep3.network import rise
from protocols.rep3.place import Placement, place_by_bits, placement_of
from protocols.rep3.relation import append_rows
from protocols.rep3.rows import Rows, no_sums
from protocols.rep3.share import Bits, concat_planes, public_bits
from protocols.rep3.slices import reversed_rows, to_planes
from protocols.rounds import Party, Steps, parallel


@dataclass(frozen=True, slots=True)
class Ranked:
    """One side's rows, 64 w > 0, and how they rank.

    Attributes:
        key: (k, w), plane 0 most significant.
        rank: (l, w): of each row how many of its side stand before it; no two are equal.
    """

    key: Bits
    rank: Bits

    @property
    def n(self) -> int:
        return 64 * self.key.shape[1]


def merged_orders(
    ctx: Context, keys: Sequence[tuple[Ranked, Ranked]]
) -> Steps[list[tuple[Bits, Placement]]]:
    """Find the orders of the rows of both sides, those of the first before the others, by each key.

    Args:
        keys: of each key both sides; sizes and widths are the same for all keys.

    Returns:
        for each key its planes in ascending order, and what puts rows into that order.

    Raises:
        ProtocolError: if ranks are no permutation. Ranks that aren't those of the key give an
            order that isn't its.

    Cost: with n rows and l = ceil(log2 n): 3 + l (1 + ceil(log2(k + 1))) + 3 rounds; for each key
        a `place_by_bits` of k + l planes and a `placement_of` l planes, and about
        n' l (2.5 k + l) / 16 bytes by each party, n' the next power of two.
    Security: semi-honest, honest majority; no leakage: what is opened are ranks after a shuffle
        of their own, which are uniformly random permutations.
    """
    n = sum(side.n for side in keys[0])
    sides = [
        _in_order(ctx.at(f"key{i}/{j}"), side, start, n)
        for i, (first, second) in enumerate(keys)
        for j, (side, start) in enumerate(((first, 0), (second, first.n)))
    ]
    placed = yield from parallel(*sides)
    levels = (n - 1).bit_length()
    lists = [
        _lined_up(ctx.me, a, b, levels) for a, b in zip(placed[::2], placed[1::2], strict=True)
    ]
    k, words = keys[0][0].key.shape[0], (1 << levels) // 64
    merged = yield from rise(ctx.at("merge"), reduce(append_rows, lists), 1 + k, levels)
    ordered = [merged[1:, i * words : i * words + n // 64] for i in range(len(keys))]
    origins = yield from parallel(
        *(placement_of(ctx.at(f"origin{i}"), one[k:], n) for i, one in enumerate(ordered))
    )
    return [(one[:k], origin.inverse) for one, origin in zip(ordered, origins, strict=True)]


def _in_order(ctx: Context, side: Ranked, start: int, total: int) -> Steps[Bits]:
    """Return a side's key planes in their order, and below them its rows' numbers."""
    numbers = np.arange(start, start + side.n, dtype=np.uint64)
    named = public_bits(ctx.me, to_planes(numbers, (total - 1).bit_length()))
    rows = Rows(side.n, concat_planes([side.key, named]), no_sums(side.n))
    return (yield from place_by_bits(ctx, rows, side.rank)).bits


def _lined_up(me: Party, a: Bits, b: Bits, levels: int) -> Bits:
    """Put b's rows backwards, those of a behind them, and rows that come last up to 2^levels."""
    fall = Bits(reversed_rows(b.own), reversed_rows(b.next))
    rows = append_rows(fall, a)
    past = np.zeros((1, (1 << levels) // 64), dtype=np.uint64)
    past[:, rows.shape[1] :] = ~np.uint64(0)
    none = np.zeros((rows.shape[0], past.shape[1] - rows.shape[1]), dtype=np.uint64)
    return concat_planes([public_bits(me, past), append_rows(rows, Bits(none, none))])
