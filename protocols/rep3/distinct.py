"""Distinct values of a group: counted, or added up, in rows that are sorted by group and value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal
from protocols.rep3.convert import bits_to_arith, bits_to_number
from protocols.rep3.relation import Column, Relation, planes_of
from protocols.rep3.scan import previous_row
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, stack
from protocols.rounds import Steps, parallel

_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Distinct:
    """The distinct values of columns in a group, rows with a NULL among them left out.

    Attributes:
        kind: "count" of values, or "sum" of each value of the only column once.
        low: what all-zero bits stand for in a sum.
    """

    name: str
    kind: Literal["count", "sum"]
    columns: tuple[str, ...]
    low: int = 0


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


def distinct_values(
    ctx: Context,
    same: Bits,
    keys: tuple[str, ...],
    orders: Sequence[Relation],
    wanted: Sequence[Distinct],
) -> Steps[Arith]:
    """Give each first row of a value in a group what it adds to the result, all others zero.

    Rows that are not there get zero too.

    Args:
        same: one plane: whether a row is of the group of the row before.
        orders: for each of `wanted` the relation, sorted by `keys` and then its columns.

    Returns:
        shape (len(wanted), n).

    Cost: an `equal` of neighbours for each distinct order, then 5 rounds or more: ANDs, a
        `bits_to_arith` of one plane for each of `wanted`, a `bits_to_number` for each sum.
    Security: semi-honest, honest majority; no leakage.
    """
    n = 64 * same.shape[1]
    if not wanted:
        empty = np.zeros((0, n), dtype=np.uint64)
        return Arith(empty, empty)
    firsts = yield from _firsts(ctx.at("first"), same, keys, orders, wanted)
    marks, *numbers = yield from parallel(
        bits_to_arith(ctx.at("marks"), firsts, n),
        *(
            _number(ctx.at(f"number{i}"), order.columns[one.columns[0]], firsts[i : i + 1], n)
            for i, (order, one) in enumerate(zip(orders, wanted, strict=True))
            if one.kind == "sum"
        ),
    )
    added = iter(numbers)
    return stack(
        [
            marks[i].scale(one.low) + next(added) if one.kind == "sum" else marks[i]
            for i, one in enumerate(wanted)
        ]
    )


def _number(ctx: Context, column: Column, mark: Bits, n: int) -> Steps[Arith]:
    """Return the column's bits as integers where `mark` is set, zero elsewhere."""
    chosen = yield from and_bits(ctx.at("chosen"), column.value, mark)
    return (yield from bits_to_number(ctx, chosen, n))


def _firsts(
    ctx: Context,
    same: Bits,
    keys: tuple[str, ...],
    orders: Sequence[Relation],
    wanted: Sequence[Distinct],
) -> Steps[Bits]:
    """Mark the first row of each value without NULLs in its group, one plane each."""
    tables = {one.columns: order for order, one in zip(orders, wanted, strict=True)}
    values = [
        planes_of(order.select((c for c in columns if c not in keys), ()))
        for columns, order in tables.items()
    ]
    steps = (same_as_previous(ctx.at(f"same{i}"), v) for i, v in enumerate(values))
    found = yield from parallel(*steps)
    repeated = yield from and_bits(ctx.at("repeated"), concat_planes(found), same)
    known = [
        _known(ctx.at(f"known{i}"), repeated[i : i + 1].flip(ctx.me), columns, order)
        for i, (columns, order) in enumerate(tables.items())
    ]
    firsts = dict(zip(tables, (yield from parallel(*known)), strict=True))
    return concat_planes([firsts[one.columns] for one in wanted])


def _known(
    ctx: Context, marks: Bits, columns: tuple[str, ...], order: Relation
) -> Steps[Bits]:
    """Take the marks from rows that are not there, or in which one of the columns is NULL."""
    marks = yield from and_bits(ctx.at("there"), marks, order.valid)
    for name in columns:
        column = order.columns[name]
        if column.nullable:
            marks = yield from and_bits(ctx.at(f"known/{name}"), marks, column.null.flip(ctx.me))
    return marks
