"""GROUP BY on secret relations: totals, distinct persons, minima and maxima of each group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.multiply import multiply
from protocols.rep3.order import order
from protocols.rep3.place import compacted, place
from protocols.rep3.relation import Column, Relation, planes_of, split_planes, sums_of
from protocols.rep3.rows import Rows
from protocols.rep3.scan import next_row, previous_row, running_sum, undo_running_sum
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, stack
from protocols.rounds import U64, Party, Steps, parallel

_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or greatest non-NULL value of a bits column in a group."""

    name: str
    kind: Literal["min", "max"]
    column: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """What to compute for each group.

    Attributes:
        keys: bits columns whose equal values form a group; NULLs are equal here.
        persons: tuples of columns; for the i-th, sum column person_i counts distinct values.
        sums: sum columns to total.
    """

    keys: tuple[str, ...]
    persons: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...]
    extremes: tuple[Extreme, ...]


def cleaned(ctx: Context, relation: Relation) -> Steps[Relation]:
    """Zero the sum columns of rows that are not there.

    Cost: bit-to-integer of one plane, then one multiplication a sum column; free if clean.
    """
    if relation.clean or not relation.sums:
        return relation
    sums = yield from keep_where(ctx, relation.valid, sums_of(relation))
    columns = {name: sums[i] for i, name in enumerate(relation.sums)}
    return replace(relation, sums=columns, clean=True)


def keep_where(ctx: Context, bit: Bits, columns: Arith) -> Steps[Arith]:
    """Multiply each column, shape (m, n), by a 0/1 bit a row, shape (1, n / 64)."""
    m, n = columns.shape
    flag = yield from bits_to_arith(ctx.at("flag"), bit, n)
    product = yield from multiply(ctx.at("keep"), _repeated(flag[0], m), columns)
    return product


def group(ctx: Context, relation: Relation, what: Grouping) -> Steps[Relation]:
    """Aggregate a relation by groups; groups stand first, in ascending order of their keys.

    Returns:
        a relation of as many rows as the input (64 without keys) with columns keys and extremes
        and sums `sums`, person_0, person_1, ... Without keys row 0 is always there.

    Cost: one `order` for each of persons and extremes, in the same rounds; then equality of
    neighbours, bit-to-integer, a multiplication and one `place`. Security: semi-honest;
    leakage none.
    """
    relation = yield from cleaned(ctx.at("clean"), relation)
    if not (what.keys or what.persons or what.extremes):
        return _total(ctx.me, relation, what)
    main, others, extremes = yield from _orders(ctx.at("order"), relation, what)
    same = yield from same_as_previous(ctx.at("same"), main.key(ctx.me, what.keys))
    persons = yield from _new_persons(ctx.at("new"), same, [main, *others], what)
    end = _set_last(ctx.me, next_row(same.flip(ctx.me)))
    kept = yield from and_bits(ctx.at("end"), end, main.valid)
    planes = [planes_of(main.select(what.keys, ())), *(x.planes for x in extremes), kept]
    totals = running_sum(stack([sums_of(main), persons]))
    bits, sums = yield from _to_front(ctx.at("front"), concat_planes(planes), totals, kept)
    there = bits[-1:]
    grouped = _named(relation, what, bits[:-1], there, undo_running_sum(sums))
    if what.keys:
        return grouped
    single = yield from _single(ctx.at("single"), grouped)
    return single


def _to_front(ctx: Context, planes: Bits, totals: Arith, kept: Bits) -> Steps[tuple[Bits, Arith]]:
    """Move rows to keep to the front; in all others `totals`, (m, n), become those of the last row.

    So, if the totals of the last row to keep are these too, differences of neighbours are zero
    in all rows that follow it.

    Cost: 6 rounds; with m columns 8 (2 + m) n bytes by each party, and a `place`.
    """
    m, n = totals.shape
    flag = (yield from bits_to_arith(ctx.at("flag"), kept, n))[0]
    if_dropped, more_if_kept = compacted(ctx.me, flag)
    last = totals[:, -1:]
    if_kept = stack([more_if_kept, _minus(totals, last)])
    step = yield from multiply(ctx.at("choose"), _repeated(flag, m + 1), if_kept)
    values = _minus(step[1:], last.scale(-1))
    rows, _ = yield from place(ctx.at("place"), Rows(n, planes, values), if_dropped + step[0])
    return rows.bits, rows.sums


def _minus(columns: Arith, one: Arith) -> Arith:
    """Take one element, (m, 1), from all of its column."""
    return Arith(columns.own - one.own, columns.next - one.next)


def _repeated(column: Arith, m: int) -> Arith:
    """Return m times the same column."""
    shape = (m, *column.shape)
    return Arith(np.broadcast_to(column.own, shape), np.broadcast_to(column.next, shape))


def same_as_previous(ctx: Context, planes: Bits) -> Steps[Bits]:
    """Compare each row's planes with those of the row before; row 0 differs by definition."""
    if planes.shape[0] == 0:
        ones = np.full((1, planes.shape[1]), ~np.uint64(0), dtype=np.uint64)
        same = public_bits(ctx.me, ones)
    else:
        same = yield from equal(ctx, planes, previous_row(planes))
    first = np.full(same.shape, ~np.uint64(0), dtype=np.uint64)
    first[0, 0] ^= _ONE
    return same.mask(first)


def _orders(
    ctx: Context, relation: Relation, what: Grouping
) -> Steps[tuple[Relation, Sequence[Relation], Sequence[Column]]]:
    """Sort once for each person class and extreme; the groups lie at the same rows in all."""
    person, *more = what.persons or ((),)
    first = relation.select(_distinct(what.keys + person), what.sums)
    steps = [order(ctx.at("main"), first, _distinct(what.keys + person))]
    for i, columns in enumerate(more):
        by = _distinct(what.keys + columns)
        steps.append(order(ctx.at(f"person{i}"), relation.select(by, ()), by))
    for i, extreme in enumerate(what.extremes):
        steps.append(_extreme_last(ctx.at(f"extreme{i}"), relation, what.keys, extreme))
    main, *rest = yield from parallel(*steps)
    extremes = [
        _restored(ctx.me, relation.columns[x.column], part.columns[""], x)
        for x, part in zip(what.extremes, rest[len(more) :], strict=True)
    ]
    return main, rest[: len(more)], extremes


def _extreme_last(
    ctx: Context, relation: Relation, keys: tuple[str, ...], extreme: Extreme
) -> Steps[Relation]:
    """Sort each group so that the value asked for ends it: NULLs first, minima flipped."""
    column = relation.columns[extreme.column]
    planes = column.value.flip(ctx.me) if extreme.kind == "min" else column.value
    if column.nullable:
        planes = concat_planes([column.null.flip(ctx.me), planes])
    wanted = replace(relation.select(keys, ()), sorted_by=None)
    wanted = replace(wanted, columns={**wanted.columns, "": Column(planes, False)})
    ordered = yield from order(ctx, wanted, (*keys, ""))
    return ordered


def _restored(me: Party, column: Column, found: Column, extreme: Extreme) -> Column:
    """Undo the flips of `_extreme_last`; the result is always nullable."""
    planes = found.planes
    if column.nullable:
        null, value = planes[:1].flip(me), planes[1:]
    else:
        null, value = public_bits(me, np.zeros((1, planes.shape[1]), dtype=np.uint64)), planes
    if extreme.kind == "min":
        value = value.flip(me)
    return Column(concat_planes([null, value]), True)


def _new_persons(
    ctx: Context, same: Bits, orders: Sequence[Relation], what: Grouping
) -> Steps[Arith]:
    """Mark each first row of a person in a group, if it is there: a 0/1 column a person class."""
    if not what.persons:
        n = orders[0].n
        return Arith(np.zeros((0, n), dtype=np.uint64), np.zeros((0, n), dtype=np.uint64))
    keys = [
        planes_of(ordered.select((c for c in columns if c not in what.keys), ()))
        for ordered, columns in zip(orders, what.persons, strict=True)
    ]
    equals = yield from parallel(
        *(same_as_previous(ctx.at(f"person{i}"), key) for i, key in enumerate(keys))
    )
    both = yield from and_bits(ctx.at("both"), same, concat_planes(equals))
    new = yield from and_bits(ctx.at("there"), both.flip(ctx.me), orders[0].valid)
    marks = yield from bits_to_arith(ctx.at("marks"), new, orders[0].n)
    return marks


def _named(
    relation: Relation, what: Grouping, bits: Bits, there: Bits, sums: Arith
) -> Relation:
    key_columns = {name: relation.columns[name] for name in what.keys}
    widths = [column.planes.shape[0] for column in key_columns.values()]
    for x in what.extremes:
        widths.append(relation.columns[x.column].value.shape[0] + 1)
    parts = split_planes(bits, widths)
    columns = {
        name: replace(column, planes=part)
        for (name, column), part in zip(key_columns.items(), parts, strict=False)
    }
    for x, part in zip(what.extremes, parts[len(key_columns) :], strict=True):
        columns[x.name] = Column(part, True)
    names = [*what.sums, *(f"person_{i}" for i in range(len(what.persons)))]
    named = {name: sums[i] for i, name in enumerate(names)}
    return Relation(relation.n, there, columns, named, True, what.keys)


def _single(ctx: Context, grouped: Relation) -> Steps[Relation]:
    """Keep the one group there is without keys; if it had no rows, its extremes are NULL."""
    first = grouped.head(64)
    if first.columns:
        known = [concat_planes([c.null.flip(ctx.me), c.value]) for c in first.columns.values()]
        found = yield from and_bits(ctx, concat_planes(known), first.valid)
        parts = split_planes(found, [planes.shape[0] for planes in known])
        columns = {
            name: Column(concat_planes([part[:1].flip(ctx.me), part[1:]]), True)
            for name, part in zip(first.columns, parts, strict=True)
        }
        first = replace(first, columns=columns)
    return replace(first, valid=_row_zero(ctx.me))


def _total(me: Party, relation: Relation, what: Grouping) -> Relation:
    """Add up clean sums without any message."""
    sums = {name: _spread(relation.sums[name]) for name in what.sums}
    return Relation(64, _row_zero(me), {}, sums)


def _spread(column: Arith) -> Arith:
    own, following = np.zeros(64, dtype=np.uint64), np.zeros(64, dtype=np.uint64)
    own[0], following[0] = column.own.sum(dtype=np.uint64), column.next.sum(dtype=np.uint64)
    return Arith(own, following)


def _row_zero(me: Party) -> Bits:
    return public_bits(me, np.array([[1]], dtype=np.uint64))


def _set_last(me: Party, bits: Bits) -> Bits:
    """Set the last row's bit, which is zero."""
    last: U64 = np.zeros(bits.shape, dtype=np.uint64)
    last[0, -1] = _ONE << np.uint64(63)
    return bits ^ public_bits(me, last)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
