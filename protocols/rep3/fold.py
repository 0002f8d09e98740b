"""Rows and columns of a secret matrix folded in halves, until one bit of each is left.

A matrix of m rows has planes (k, m w): w words a row, 64 columns a word. What two elements become
is up to the caller; both ways, by rows and by columns, take logarithmically many steps.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits, and_sums
from protocols.rep3.compare import less_than
from protocols.rep3.share import Bits
from protocols.rounds import U64, Steps

Combine: TypeAlias = Callable[[Context, Bits, Bits], Steps[Bits]]


def over_columns(ctx: Context, x: Bits, m: int, combine: Combine) -> Steps[Bits]:
    """Combine the elements of each row: planes (k, m w) to (k, m), bit 0 of the words alone.

    Cost: ceil(log2 w) + 6 times `combine`, on m w bits' words in all and 6 m more.
    """
    k, level = x.shape[0], 0
    while (w := x.shape[1] // m) > 1:
        cells, half = x.reshape(k, m, w), w // 2
        first, second = cells[:, :, :half], cells[:, :, half : 2 * half]
        met = yield from combine(
            ctx.at(f"words{level}"), first.reshape(k, m * half), second.reshape(k, m * half)
        )
        x, level = _beside(met.reshape(k, m, half), cells[:, :, 2 * half :]), level + 1
    for by in (32, 16, 8, 4, 2, 1):
        x = yield from combine(ctx.at(f"bits{by}"), x, _shifted(x, by))
    return x


def over_rows(ctx: Context, x: Bits, m: int, combine: Combine) -> Steps[Bits]:
    """Combine the elements of each column: planes (k, m w) to (k, w).

    Cost: ceil(log2 m) times `combine`, on m w words in all.
    """
    w, level = x.shape[1] // m, 0
    while (m := x.shape[1] // w) > 1:
        half = m // 2 * w
        met = yield from combine(ctx.at(f"rows{level}"), x[:, :half], x[:, half : 2 * half])
        x, level = side_by_side([met, x[:, 2 * half :]]), level + 1
    return x


def side_by_side(parts: Sequence[Bits]) -> Bits:
    """Put the words of planes behind each other: for rows, those of the first part come first."""
    return Bits(np.hstack([part.own for part in parts]), np.hstack([part.next for part in parts]))


def spread_rows(x: Bits, w: int) -> Bits:
    """Give all 64 w columns the bit 0 of their row: planes (k, m) to (k, m w)."""
    return Bits(_spread(x.own, w), _spread(x.next, w))


def spread_columns(x: Bits, m: int) -> Bits:
    """Give all m rows the bits of their columns: planes (k, w) to (k, m w)."""
    return Bits(np.tile(x.own, m), np.tile(x.next, m))


def larger(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Take the greater number of each element. Cost: a `less_than` and an AND of all planes."""
    less = yield from less_than(ctx.at("less"), a, b)
    changed = yield from and_bits(ctx.at("take"), a ^ b, less)
    return a ^ changed


def exactly_one(ctx: Context, a: Bits, b: Bits) -> Steps[Bits]:
    """Put together two planes: whether any bit is set, and whether it is the only one.

    Cost: 1 round, 2 AND gates.
    """
    me = ctx.me
    (any_a, one_a), (any_b, one_b) = (a[:1], a[1:]), (b[:1], b[1:])
    both, one = yield from and_sums(
        ctx, [[(any_a, any_b)], [(one_a, any_b.flip(me)), (any_a.flip(me), one_b)]]
    )
    some = any_a ^ any_b ^ both
    return Bits(np.vstack([some.own, one.own]), np.vstack([some.next, one.next]))


def _beside(first: Bits, second: Bits) -> Bits:
    """Put further words behind those of each row: (k, m, w) to (k, m w)."""
    k = first.shape[0]

    def joined(a: U64, b: U64) -> U64:
        return np.concatenate([a, b], axis=2).reshape(k, -1)

    return Bits(joined(first.own, second.own), joined(first.next, second.next))


def _shifted(x: Bits, by: int) -> Bits:
    return Bits(x.own >> np.uint64(by), x.next >> np.uint64(by))


def _spread(words: U64, w: int) -> U64:
    row = np.uint64(0) - (words & np.uint64(1))
    return np.repeat(row, w, axis=1)
