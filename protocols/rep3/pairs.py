"""The pairs that rungs linked: partners of both sides side by side, in the order of rung and key.

In a rung's order partners have the same number, each counted among the linked rows of its side:
so counting, which is local, is all that it takes to find who belongs together.
"""

import operator
from collections.abc import Sequence
from functools import reduce

import numpy as np

from protocols.context import Context
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.keyed import Keyed
from protocols.rep3.multiply import multiply
from protocols.rep3.place import compacted, place, unplace
from protocols.rep3.relation import Column, Relation, append_rows, append_values
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import running_sum
from protocols.rep3.share import Arith, Bits, concat_planes
from protocols.rounds import Steps, parallel


def pairs_of(
    ctx: Context,
    left: Relation,
    right: Relation,
    rungs: Sequence[Keyed],
    found: Sequence[Bits],
    back: Sequence[Bits],
) -> Steps[Relation]:
    """Put the linked rows of both sides in the order of rung and key, partners side by side.

    Args:
        rungs: the rows of both sides, left ones first, in the order of each rung's keys.
        found, back: what each rung linked, a plane a side, in the order of its keys and in that
            of the relations.

    Returns:
        left.n rows, as `Linked.pairs` has them.

    Cost: 9 rounds; with n rows of both sides and r rungs, about (66 r + 44) n bytes by P0 and half
        of that by the others, and for each row its ids.
    Security: semi-honest, honest majority; no leakage: of openings see `place`.
    """
    linked = reduce(operator.xor, back)
    flags, numbers = yield from parallel(
        bits_to_arith(ctx.at("linked"), linked[:1] ^ linked[1:], left.n + right.n),
        _numbers(ctx.at("numbers"), rungs, found),
    )
    lefts, rights = yield from _destinations(ctx.at("to"), flags[0], numbers, left.n)
    marks = [linked[:1], *_rung_planes(back)]
    ids = [side.columns["id"].planes for side in (left, right)]
    mine = concat_planes([ids[0], *(plane[:, : left.n // 64] for plane in marks)])
    first, second = yield from parallel(
        place(ctx.at("left"), Rows(left.n, mine, no_sums(left.n)), lefts),
        place(ctx.at("right"), Rows(right.n, ids[1], no_sums(right.n)), rights),
    )
    planes = first[0].bits
    at, there = ids[0].shape[0], left.n // 64
    columns = {
        "left": Column(planes[:at], False),
        "right": Column(_as_long(second[0].bits, there), False),
        "rung": Column(planes[at + 1 :], False),
    }
    return Relation(left.n, planes[at : at + 1], columns, {}, sorted_by=("rung",))


def _numbers(ctx: Context, rungs: Sequence[Keyed], found: Sequence[Bits]) -> Steps[Arith]:
    """Number linked rows of each side from 1 by rung and key: partners get the same number.

    Returns:
        shape (n,), zero in rows that aren't linked, in the order of the relations.
    """
    n = rungs[0].n
    flags = yield from bits_to_arith(ctx.at("flags"), reduce(append_rows, found), n * len(rungs))
    counted = yield from multiply(ctx.at("count"), flags, running_sum(flags))
    one = counted[:1] + counted[1:]
    steps = (
        unplace(ctx.at(f"back{i}"), Rows(n, no_bits(n), one[:, i * n : (i + 1) * n]), rung.order)
        for i, rung in enumerate(rungs)
    )
    parts = yield from parallel(*steps)
    return reduce(operator.add, (part.sums[0] for part in parts))


def _destinations(
    ctx: Context, linked: Arith, numbers: Arith, n_left: int
) -> Steps[tuple[Arith, Arith]]:
    """Return where rows of each side go: linked ones by their number, the others behind them."""
    if_dropped = append_values(
        compacted(ctx.me, linked[:n_left])[0], compacted(ctx.me, linked[n_left:])[0]
    )
    less = yield from multiply(ctx, linked, if_dropped.shift(ctx.me, 1))
    to = if_dropped + numbers - less
    return to[:n_left], to[n_left:]


def _rung_planes(back: Sequence[Bits]) -> list[Bits]:
    """Return the number of the rung that linked a left row, from 1, as planes."""
    width = len(back).bit_length()
    none = back[0][:1] ^ back[0][:1]
    return [
        reduce(operator.xor, (b[:1] for i, b in enumerate(back, 1) if i >> bit & 1), none)
        for bit in reversed(range(width))
    ]


def _as_long(planes: Bits, words: int) -> Bits:
    """Cut planes off, or append zeros, at so many words."""
    zeros = np.zeros((planes.shape[0], max(0, words - planes.shape[1])), dtype=np.uint64)
    return append_rows(planes[:, :words], Bits(zeros, zeros))
