"""Rows in the order of a secret key, once: then any marks are counted among equal keys, each time
anew, for a few rounds.

Rows with equal keys form a group, rows without a key one each. Their order is a secret
permutation, and so is the order in which the last rows of groups stand in front; both are kept.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.compare import equal_zero
from protocols.rep3.convert import bits_to_arith, is_zero
from protocols.rep3.place import Placement, compact, place_again, unplace
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import (
    last_rows,
    next_row,
    previous_row,
    running_sum,
    running_xor,
    undo_running_sum,
)
from protocols.rep3.share import Bits, concat_planes, repeated
from protocols.rounds import U64, Steps

_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Keyed:
    """What is known of `n` rows and a key.

    Attributes:
        order: puts rows into ascending order of their keys.
        ends: moves, of rows in that order, the last of group j to row j.
        gone: one plane in the order of the groups: rows behind the last group.
    """

    n: int
    order: Placement
    ends: Placement
    gone: Bits

    def ordered(self, ctx: Context, planes: Bits) -> Steps[Bits]:
        """Put planes into the order of the keys. Cost: a shuffle of them; 2 rounds."""
        rows = yield from place_again(ctx, Rows(self.n, planes, no_sums(self.n)), self.order)
        return rows.bits

    def restored(self, ctx: Context, planes: Bits) -> Steps[Bits]:
        """Put planes back into the order that rows had. Cost: as `ordered`."""
        rows = yield from unplace(ctx, Rows(self.n, planes, no_sums(self.n)), self.order)
        return rows.bits

    def in_one_pair(self, ctx: Context, marks: Bits) -> Steps[Bits]:
        """Tell each row whether exactly one row of its group has each of two marks.

        Args:
            marks: (2, n / 64), rows in the order of the keys.

        Returns:
            one plane, rows in the order of the keys.

        Cost: 2 + 2 + 1 + ceil(log2(2 b + 1)) + 2 rounds, with b = ceil(log2(n + 1)) bits of a
            count; about 42 n bytes by P0 and 26 n by the others. Security: semi-honest, honest
            majority; no leakage.
        """
        width = self.n.bit_length()
        flags = yield from bits_to_arith(ctx.at("flags"), marks, self.n)
        counted = running_sum(flags[:1] + flags[1:].scale(1 << width))
        rows = Rows(self.n, no_bits(self.n), counted)
        placed = yield from place_again(ctx.at("ends"), rows, self.ends)
        totals = undo_running_sum(placed.sums)[0]
        one_each = totals.shift(ctx.me, -(1 + (1 << width)))
        single = yield from is_zero(ctx.at("one"), one_each, 2 * width, self.gone)
        return (yield from self._spread(ctx.at("spread"), single))

    def _spread(self, ctx: Context, groups: Bits) -> Steps[Bits]:
        """Give each row, in the order of the keys, its group's bit."""
        steps = Rows(self.n, groups ^ next_row(groups), no_sums(self.n))
        back = yield from unplace(ctx, steps, self.ends)
        return previous_row(running_xor(back.bits)) ^ repeated(groups, self.n)


def keyed(ctx: Context, planes: Bits, order: Placement) -> Steps[Keyed]:
    """Find the groups of n = 64 w rows, w > 0: those with a key, and that of the row before.

    Args:
        planes: (k, w), the keys in ascending order; plane 0 says that a row has no key, whatever
            its other bits.
        order: puts rows into that order.

    Cost: an `equal_zero` of k + 1 planes and a `compact` of one.
    Security: semi-honest, honest majority; no leakage: of openings see `compact`.
    """
    n = 64 * planes.shape[1]
    unlike = concat_planes([planes[:1], planes ^ previous_row(planes)])
    same = yield from equal_zero(ctx.at("same"), unlike)
    ends = last_rows(ctx.me, same.mask(_all_but_first(n)))
    there, placement = yield from compact(ctx.at("ends"), Rows(n, ends, no_sums(n)), ends)
    return Keyed(n, order, placement, there.bits.flip(ctx.me))


def _all_but_first(n: int) -> U64:
    words = np.full((1, n // 64), ~np.uint64(0), dtype=np.uint64)
    words[0, 0] ^= _ONE
    return words
