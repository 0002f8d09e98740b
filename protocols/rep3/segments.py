"""Totals of the groups of a sorted relation, given back to its rows, as often as needed.

The last rows of all groups are moved to the front once; further columns follow the same secret
permutation, there and back, for the price of a shuffle.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.distinct import same_as_previous
from protocols.rep3.multiply import multiply
from protocols.rep3.place import Placement, place_again, repeat_rows, to_front, unplace
from protocols.rep3.relation import Relation
from protocols.rep3.rows import Rows, no_bits
from protocols.rep3.scan import last_rows, running_sum, undo_running_sum
from protocols.rep3.share import Arith
from protocols.rounds import U64, Steps


@dataclass(frozen=True, slots=True)
class Segments:
    """The groups of a relation of `n` rows.

    Attributes:
        most: rows that groups are held in, a multiple of 64, at least as many as there are.
        placement: moves the last row of group j to row j; None if all rows are one group.
        there: shape (most,), 1 for each group and 0 behind the last.
    """

    n: int
    most: int
    placement: Placement | None
    there: Arith

    def totals(self, ctx: Context, columns: Arith) -> Steps[Arith]:
        """Add up (m, n) columns of rows that are there: (m, most), zero behind the last group.

        Cost: one shuffle of them; 3 rounds. Security: semi-honest, honest majority; no leakage.
        """
        if self.placement is None:
            return _single(columns, self.most)
        rows = Rows(self.n, no_bits(self.n), running_sum(columns))
        placed = yield from place_again(ctx.at("place"), rows, self.placement)
        ends = undo_running_sum(placed.sums[:, : self.most])
        there = repeat_rows(self.there, columns.shape[0])
        return (yield from multiply(ctx.at("there"), there, ends))

    def spread(self, ctx: Context, values: Arith) -> Steps[Arith]:
        """Give each row its group's (m, most) values, which are zero behind the last group.

        Returns:
            (m, n); rows behind the last group's get zero.

        Cost: one shuffle of (m, n); 2 rounds. Security: semi-honest, honest majority; no leakage.
        """
        if self.placement is None:
            return Arith(*(np.repeat(half[:, :1], self.n, 1) for half in (values.own, values.next)))
        steps = Arith(*(_falls(half, self.n) for half in (values.own, values.next)))
        back = yield from unplace(ctx, Rows(self.n, no_bits(self.n), steps), self.placement)
        return Arith(*(_suffix_sums(half) for half in (back.sums.own, back.sums.next)))


def segments(
    ctx: Context, relation: Relation, keys: tuple[str, ...], columns: Arith, most: int
) -> Steps[tuple[Segments, Arith]]:
    """Find the groups of a relation that is sorted by `keys`, and add up (m, n) columns in each.

    Args:
        columns: zero in rows that aren't there.
        most: public bound on the number of groups; 0 if only these totals are wanted.

    Returns:
        the groups, in ascending order of their keys, and totals of shape (m, n).

    Cost: an `equal` of neighbours, an AND and a `to_front`, 2 rounds for `there`; nothing without
        keys.
    Security: semi-honest, honest majority; no leakage.
    """
    n = relation.n
    if not keys:
        one = np.zeros(64, dtype=np.uint64)
        there = Arith(one, one).shift(ctx.me, np.eye(1, 64, dtype=np.uint64)[0])
        return Segments(n, 64, None, there), _single(columns, 64)
    same = yield from same_as_previous(ctx.at("same"), relation.key(ctx.me, keys))
    kept = yield from and_bits(ctx.at("end"), last_rows(ctx.me, same), relation.valid)
    front = yield from to_front(ctx.at("front"), kept, running_sum(columns), kept)
    rows, placement = front
    if not most:
        return Segments(n, 0, placement, rows.sums[0]), undo_running_sum(rows.sums)
    most = min(n, -(-most // 64) * 64)
    flags = yield from bits_to_arith(ctx.at("there"), rows.bits[:, : most // 64], most)
    return Segments(n, most, placement, flags[0]), undo_running_sum(rows.sums)


def _single(columns: Arith, most: int) -> Arith:
    def one(half: U64) -> U64:
        out = np.zeros((half.shape[0], most), dtype=np.uint64)
        out[:, 0] = half.sum(axis=1, dtype=np.uint64)
        return out

    return Arith(one(columns.own), one(columns.next))


def _falls(values: U64, n: int) -> U64:
    """Return how far each group's value is above the next one's, in n rows."""
    out = np.zeros((values.shape[0], n), dtype=np.uint64)
    most = values.shape[1]
    out[:, :most] = values
    out[:, : most - 1] -= values[:, 1:]
    return out


def _suffix_sums(columns: U64) -> U64:
    """Give each row the sum of all rows from itself on."""
    out: U64 = np.cumsum(columns[:, ::-1], axis=-1, dtype=np.uint64)[:, ::-1]
    return out
