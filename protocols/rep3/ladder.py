"""Linking persons of two relations by a ladder of composite keys: deterministic, one to one.

All rungs' keys are sorted at once; what is left to do one rung after another is to count, among
rows not linked so far, how often each key occurs on either side.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.keyed import Keyed, keyed
from protocols.rep3.multiply import multiply
from protocols.rep3.place import compacted, place, unplace
from protocols.rep3.relation import Column, Relation, append_rows, append_values
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.scan import running_sum
from protocols.rep3.share import ONES, Arith, Bits, concat_planes, same_bit
from protocols.rounds import Party, Steps, parallel


@dataclass(frozen=True, slots=True)
class Linked:
    """What a linkage found.

    Attributes:
        pairs: as many rows as `left`, those that are there in front, one a linked pair: bits
            columns "left" and "right", the two ids, and "rung", from 1.
        left, right: the relations given, without the rows that were linked.
    """

    pairs: Relation
    left: Relation
    right: Relation


def ladder(ctx: Context, left: Relation, right: Relation, keys: Sequence[str]) -> Steps[Linked]:
    """Link rows of two relations, key by key; what a rung has linked takes no part in the next.

    A rung links two rows if, among rows not linked so far, its key occurs exactly once on each
    side. Keys that are ambiguous wait for the next rung. NULL matches nothing.

    Args:
        left, right: with a bits column "id"; 64 rows or more each.
        keys: the rungs: bits columns of both relations, all of one width.

    Raises:
        ValueError: without keys, or if their widths or those of the ids differ.

    Cost: with n = left.n + right.n rows and r keys, a `keyed` of all; then r times 12 +
        ceil(log2(2 ceil(log2(n + 1)) + 1)) rounds one after another, each time about 44 n bytes
        by P0 and half of that by the others; then 9 rounds and about 66 r n bytes by P0.
    Security: semi-honest, honest majority; no leakage: neither how many are linked nor by which
        rung. What is opened are sorts' comparisons and uniformly random permutations.
    """
    _check(left, right, keys)
    rungs = yield from keyed(ctx.at("keys"), [_key(ctx.me, left, right, name) for name in keys])
    free = _sides(left.valid, right.valid)
    found: list[Bits] = []
    back: list[Bits] = []
    for i, rung in enumerate(rungs):
        found.append((yield from _linked(ctx.at(f"rung{i}"), rung, free)))
        back.append((yield from rung.restored(ctx.at(f"back{i}"), found[i])))
        free = free ^ back[i]
    pairs = yield from _pairs(ctx.at("pairs"), left, right, rungs, found, back)
    at = left.n // 64
    return Linked(pairs, _without(left, free[:1, :at]), _without(right, free[1:, at:]))


def _check(left: Relation, right: Relation, keys: Sequence[str]) -> None:
    if not keys:
        raise ValueError("a ladder needs a key")
    for name in ("id", *keys):
        first, second = (side.columns[name].value.shape[0] for side in (left, right))
        if first != second:
            raise ValueError(f"column {name} has {first} bits left, {second} right")
    if left.columns["id"].nullable or right.columns["id"].nullable:
        raise ValueError("ids may not be NULL")


def _key(me: Party, left: Relation, right: Relation, name: str) -> Bits:
    """Return whether it is NULL, and the value, of a column, left rows before right ones."""
    parts = [_known_planes(me, side.columns[name], side.n) for side in (left, right)]
    return append_rows(*parts)


def _known_planes(me: Party, column: Column, n: int) -> Bits:
    if column.nullable:
        return column.planes
    return concat_planes([same_bit(me, 0, n), column.planes])


def _linked(ctx: Context, rung: Keyed, free: Bits) -> Steps[Bits]:
    """Return the rows that a rung links, a plane for each side, in the order of its keys."""
    marks = yield from rung.ordered(ctx.at("free"), free)
    single = yield from rung.in_one_pair(ctx.at("pair"), marks)
    return (yield from and_bits(ctx.at("linked"), marks, single))


def _pairs(
    ctx: Context,
    left: Relation,
    right: Relation,
    rungs: Sequence[Keyed],
    found: Sequence[Bits],
    back: Sequence[Bits],
) -> Steps[Relation]:
    """Put the linked rows of both sides in the order of rung and key, partners side by side.

    Args:
        found, back: what each rung linked, in the order of its keys and in that of the relations.
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
    return Relation(left.n, planes[at : at + 1], columns, {})


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


def _sides(left: Bits, right: Bits) -> Bits:
    """Return two planes over the rows of both, each zero in the other's rows."""
    planes = append_rows(left, right)
    first = np.zeros((1, planes.shape[1]), dtype=np.uint64)
    first[:, : left.shape[1]] = ONES
    return concat_planes([planes.mask(first), planes.mask(~first)])


def _as_long(planes: Bits, words: int) -> Bits:
    """Cut planes off, or append zeros, at so many words."""
    zeros = np.zeros((planes.shape[0], max(0, words - planes.shape[1])), dtype=np.uint64)
    return append_rows(planes[:, :words], Bits(zeros, zeros))


def _without(relation: Relation, valid: Bits) -> Relation:
    return replace(relation, valid=valid, clean=False, sorted_by=None)
