"""Joins that keep rows without a match, LEFT and FULL, or only test: SEMI, ANTI, NOT IN.

Where a row is missing, a column takes a public value of its own, NULL or a number. Marking that
is local: what is looked up without success is zero already, so XOR sets it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.join import keep_or_nothing, matched
from protocols.rep3.relation import Column, Relation, planes_of, sums_of, union
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, repeated, same_bit
from protocols.rounds import Steps, parallel

Fill: TypeAlias = Mapping[str, int | None]
On: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


def filled(ctx: Context, relation: Relation, missing: Bits, fill: Fill) -> Steps[Relation]:
    """Set columns that are zero where `missing` is set to public values there.

    Args:
        fill: value of a column; None is NULL. Columns that it doesn't name stay zero.

    Cost: local, but for sums: bit-to-integer of one plane.
    """
    columns = {
        name: Column(column.planes ^ _where(missing, column, fill[name]), column.nullable)
        if name in fill
        else column
        for name, column in relation.columns.items()
    }
    named = [name for name in relation.sums if fill.get(name)]
    sums = dict(relation.sums)
    if named:
        flag = yield from bits_to_arith(ctx, missing, relation.n)
        sums.update({name: sums[name] + flag[0].scale(fill[name] or 0) for name in named})
    return replace(relation, columns=columns, sums=sums)


def _where(missing: Bits, column: Column, value: int | None) -> Bits:
    bits = column.planes.shape[0]
    number = 1 << (bits - 1) if value is None else value
    marks = [number >> (bits - 1 - i) & 1 for i in range(bits)]
    nothing = missing.mask(np.zeros(1, dtype=np.uint64))
    return concat_planes([missing if mark else nothing for mark in marks])


def only_where(ctx: Context, found: Relation, true: Bits) -> Steps[Relation]:
    """Forget what was found in rows where a bit isn't set.

    Cost: one AND of every plane, one multiplication of every sum column.
    """
    bits = concat_planes([found.valid, planes_of(found)])
    kept, sums = yield from parallel(
        and_bits(ctx.at("bits"), bits, true),
        keep_or_nothing(ctx.at("sums"), true, sums_of(found)),
    )
    return replace(found.with_rows(Rows(found.n, kept[1:], sums)), valid=kept[:1])


def keep_left(ctx: Context, left: Relation, found: Relation, fill: Fill) -> Steps[Relation]:
    """LEFT JOIN of left rows and what was found for each: all left rows stay.

    Cost: as `filled`.
    """
    missing = left.valid ^ found.valid  # a match needs a left row that is there
    rest = yield from filled(ctx, found, missing, fill)
    return replace(
        left, columns={**left.columns, **rest.columns}, sums={**left.sums, **rest.sums}
    )


def semi(left: Relation, found: Relation) -> Relation:
    """Keep the left rows that have a match, with its columns."""
    return replace(
        left,
        valid=found.valid,
        columns={**left.columns, **found.columns},
        clean=False,
        sorted_by=None,
    )


def anti(left: Relation, found: Relation) -> Relation:
    """Keep the left rows that have no match."""
    return replace(left, valid=left.valid ^ found.valid, clean=False, sorted_by=None)


def not_in(
    ctx: Context,
    left: Relation,
    found: Relation,
    left_on: str,
    right: Relation,
    right_on: str,
) -> Steps[Relation]:
    """Keep the left rows for which `left_on NOT IN right` is TRUE, not FALSE and not NULL.

    That is: all of them if `right` has no rows; none if it has a NULL; otherwise those with a
    value that doesn't match.

    Cost: `sign` of two sums over `right`, two rounds of ANDs of a plane of left rows.
    Security: semi-honest; leakage none, not even which of the three cases it is.
    """
    mine, theirs = left.columns[left_on], right.columns[right_on]
    nulls = theirs.null if theirs.nullable else same_bit(ctx.me, 0, right.n)
    null_rows = yield from and_bits(ctx.at("nulls"), nulls, right.valid)
    flags = yield from bits_to_arith(
        ctx.at("flags"), concat_planes([right.valid, null_rows]), right.n
    )
    totals = Arith(flags.own.sum(axis=1), flags.next.sum(axis=1)).scale(-1)
    some = yield from sign(ctx.at("some"), totals.reshape(2, 1))
    any_row, any_null = (repeated(some[i : i + 1], left.n) for i in (0, 1))
    known = mine.null.flip(ctx.me) if mine.nullable else same_bit(ctx.me, 1, left.n)
    # Rows stay if unmatched and (known and no NULL) or if there is nothing at the right.
    passing = yield from and_bits(ctx.at("known"), known, any_null.flip(ctx.me))
    dropped = yield from and_bits(ctx.at("any"), any_row, passing.flip(ctx.me))
    unmatched = left.valid ^ found.valid
    kept = yield from and_bits(ctx.at("kept"), unmatched, dropped.flip(ctx.me))
    return replace(left, valid=kept, clean=False, sorted_by=None)


def add_unmatched(
    ctx: Context, joined: Relation, right: Relation, left: Relation, fill: Fill, on: On
) -> Steps[Relation]:
    """FULL JOIN: append the right rows that match no left row to a LEFT JOIN.

    Args:
        joined: the LEFT JOIN of `left` and `right`.
        fill: values of columns where their side has no row.
        on: left and right keys.

    Cost: a `look_up` of the right keys among the left ones, as `matched`.
    """
    keys = replace(left.select(on[0], ()), sorted_by=_prefix(left, on[0]))
    right, found = yield from matched(ctx.at("match"), right, keys, on[1], on[0])
    alone = anti(right, found)
    columns = {
        name: alone.columns.get(name, _zeros(alone.n, column))
        for name, column in joined.columns.items()
    }
    zero = np.zeros(alone.n, dtype=np.uint64)
    sums = {name: alone.sums.get(name, Arith(zero, zero)) for name in joined.sums}
    own = {name: value for name, value in fill.items() if name in left.columns or name in left.sums}
    alone = replace(alone, columns=columns, sums=sums)
    alone = yield from filled(ctx.at("fill"), alone, alone.valid, own)
    return union(joined, alone)


def _prefix(relation: Relation, on: tuple[str, ...]) -> tuple[str, ...] | None:
    known = relation.sorted_by
    return on if known is not None and known[: len(on)] == on else None


def _zeros(n: int, like: Column) -> Column:
    none = np.zeros((like.planes.shape[0], n // 64), dtype=np.uint64)
    return Column(Bits(none, none), like.nullable)

