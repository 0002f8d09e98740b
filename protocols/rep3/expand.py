"""INNER and LEFT JOIN of many to many: the result has as many rows as a public bound allows.

Each left row learns how many right rows match and where the first of them stands, is copied
that many times into the slots of the result, and each copy then fetches its own right row.
"""

from dataclasses import replace

import numpy as np

from protocols.context import Context
from protocols.rep3.bound import check_bound
from protocols.rep3.compare import less_than
from protocols.rep3.convert import arith_to_bits, bits_to_arith
from protocols.rep3.group import Grouping, group
from protocols.rep3.join import join_unique, look_up, matched
from protocols.rep3.merge import merge
from protocols.rep3.order import order
from protocols.rep3.outer import Fill, keep_left
from protocols.rep3.place import unplace
from protocols.rep3.relation import Column, Relation
from protocols.rep3.rows import Rows, empty_rows
from protocols.rep3.scan import running_sum, running_xor, undo_running_sum, undo_running_xor
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, repeated, same_bit
from protocols.rep3.slices import to_planes
from protocols.rounds import Party, Steps, parallel

_COUNT, _FIRST, _PLACE = "#count", "#first", "#place"


def join_bounded(
    ctx: Context,
    left: Relation,
    right: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
    bound: int,
    fill: Fill | None = None,
) -> Steps[Relation]:
    """Join on equal keys, any number of rows a key on both sides.

    Args:
        left_on, right_on: bits columns, pairwise of equal width; NULL matches nothing.
        bound: public; the result has this many rows, rounded up to a multiple of 64.
        fill: if given, LEFT JOIN: a left row without a match has one result row, in which
            columns of the right take these values.

    Raises:
        BoundExceeded: if there are more pairs than `bound`.

    Cost: `group` of the right side, `join_unique`, a merge of left rows and slots, an `order`
        of the slots and a `look_up` in the right side.
    Security: semi-honest; leakage one bit, whether the bound was exceeded.
    """
    right = yield from order(ctx.at("right"), right, right_on)
    counted = yield from _counted(ctx.at("count"), right, right_on)
    left = yield from _with_counts(ctx, left, counted, left_on, right_on, right.n, fill is None)
    ends = running_sum(left.sums[_COUNT])
    yield from check_bound(ctx.at("bound"), ends[-1:], bound, "joined rows")
    n_slots = -(-bound // 64) * 64
    slots = yield from _copied(ctx.at("copy"), left, ends, n_slots, right.n.bit_length())
    slots = yield from order(ctx.at("order"), slots, (_PLACE,))
    found = yield from _fetched(ctx.at("fetch"), slots, right, right_on)
    kept = slots.select((c for c in slots.columns if c != _PLACE), slots.sums)
    if fill is not None:
        kept = replace(kept, sorted_by=None, clean=False)
        joined = yield from keep_left(ctx.at("fill"), kept, found, fill)
        return joined
    return Relation(
        n=n_slots,
        valid=found.valid,
        columns={**kept.columns, **found.columns},
        sums={**kept.sums, **found.sums},
        clean=False,
    )


def _fetched(
    ctx: Context, slots: Relation, right: Relation, on: tuple[str, ...]
) -> Steps[Relation]:
    """Give each slot, in the order of their places, the right row at its place, without keys."""
    carried = right.select((c for c in right.columns if c not in on), right.sums)
    rows = replace(carried.rows(), bits=concat_planes([carried.rows().bits, right.valid]))
    numbers = _row_numbers(ctx.me, right.n, slots.columns[_PLACE].planes.shape[0])
    keys = concat_planes([same_bit(ctx.me, 0, right.n), numbers])
    there, values = yield from look_up(ctx, slots.key(ctx.me, (_PLACE,)), keys, rows)
    return replace(carried.with_rows(values), valid=there)


def _counted(ctx: Context, right: Relation, on: tuple[str, ...]) -> Steps[Relation]:
    """Return one row a key: how many rows have it, and at which position they start."""
    flags = yield from bits_to_arith(ctx.at("flags"), right.valid, right.n)
    ones = replace(right.select(on, ()), sums={_COUNT: flags[0]}, clean=True)
    counted = yield from group(ctx.at("group"), ones, Grouping(on, (), (_COUNT,), ()))
    count = counted.sums[_COUNT]
    return replace(counted, sums={_COUNT: count, _FIRST: running_sum(count) - count})


def _with_counts(
    ctx: Context,
    left: Relation,
    counted: Relation,
    left_on: tuple[str, ...],
    right_on: tuple[str, ...],
    n_right: int,
    inner: bool,
) -> Steps[Relation]:
    """Give each left row its matches; if not `inner`, one past the right's end if it has none."""
    if inner:
        joined = yield from join_unique(ctx.at("match"), left, counted, left_on, right_on)
        return joined
    left, found = yield from matched(ctx.at("match"), left, counted, left_on, right_on)
    none = {_COUNT: 1, _FIRST: n_right}
    joined = yield from keep_left(ctx.at("none"), left, found, none)
    return joined


def _copied(
    ctx: Context, left: Relation, ends: Arith, n_slots: int, place_bits: int
) -> Steps[Relation]:
    """Copy left row i into slots ends[i] - count[i] .. ends[i] - 1, with its place at the right.

    Rows and slots are merged by slot number. Rows carry differences to the row before, so that
    a running sum gives a slot what the last row that starts at or before it holds.
    """
    width = n_slots.bit_length()
    starts = ends - left.sums[_COUNT]
    own = left.select(left.columns, (s for s in left.sums if s not in (_COUNT, _FIRST)))
    layout = replace(own, sums={**own.sums, _PLACE: left.sums[_FIRST] - starts})
    rows = layout.rows()
    steps = Rows(rows.n, undo_running_xor(rows.bits), undo_running_sum(rows.sums))
    at = yield from arith_to_bits(ctx.at("starts"), starts, width)
    slot_numbers = _row_numbers(ctx.me, n_slots, width)
    merged, _, placed = yield from merge(
        ctx.at("merge"),
        steps,
        concat_planes([at, same_bit(ctx.me, 0, rows.n)]),
        empty_rows(rows, n_slots),
        concat_planes([slot_numbers, same_bit(ctx.me, 1, n_slots)]),
    )
    flown = Rows(merged.n, running_xor(merged.bits), running_sum(merged.sums))
    back = yield from unplace(ctx.at("back"), flown, placed)
    slots = layout.with_rows(Rows(n_slots, back.bits[:, rows.n // 64 :], back.sums[:, rows.n :]))
    numbers = slots.sums[_PLACE].shift(ctx.me, np.arange(n_slots, dtype=np.uint64))
    total = yield from arith_to_bits(ctx.at("total"), ends[-1:], width)
    place, there = yield from parallel(
        arith_to_bits(ctx.at("place"), numbers, place_bits),
        less_than(ctx.at("there"), slot_numbers, repeated(total, n_slots)),
    )
    columns = {**slots.columns, _PLACE: Column(place, False)}
    sums = {name: slots.sums[name] for name in own.sums}
    return Relation(n_slots, there, columns, sums, clean=False)


def _row_numbers(me: Party, n: int, bits: int) -> Bits:
    """Share 0, 1, ... n - 1."""
    return public_bits(me, to_planes(np.arange(n, dtype=np.uint64), bits))
