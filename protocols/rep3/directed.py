"""Orders with descending columns and NULLs first, and with a defined place for equal rows.

Reading rows backwards is local, so an order that descends in all of its columns costs no more
than one that ascends; only an order that mixes directions can't use what owners have sorted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from protocols.context import Context
from protocols.rep3.order import is_ordered, merge_all, order
from protocols.rep3.relation import Column, Relation, union
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits
from protocols.rep3.slices import reversed_rows, to_planes
from protocols.rounds import Party, Steps

_PLACE = "#place"


@dataclass(frozen=True, slots=True)
class By:
    """A bits column of an order. Without NULLs `nulls_first` has no meaning."""

    column: str
    descending: bool = False
    nulls_first: bool = False


def order_directed(
    ctx: Context,
    parts: Sequence[Relation],
    adjacent: tuple[str, ...],
    by: tuple[By, ...],
    *,
    by_place: bool,
) -> Steps[Relation]:
    """UNION ALL of parts, equal values of `adjacent` next to each other and ordered within.

    Rows that are equal in all of these columns stand in the order of the parts, and within a
    part in its own, if `by_place` or if anything must be sorted; backwards if the last column
    descends.

    Args:
        parts: at least one, with equal columns.

    Cost: a `merge_many` if all parts are sorted by these columns and all ascend or all descend;
        `by_place` widens its key by log2 n bits. Otherwise an `order`; nothing for one sorted part.
    Security: semi-honest, honest majority; no leakage.
    """
    names = tuple(dict.fromkeys((*adjacent, *(one.column for one in by))))
    backwards = bool(by) and by[-1].descending
    turned = [_turned(ctx.me, part, by, backwards) for part in parts]
    if all(is_ordered(part, names) for part in turned):
        if by_place and len(turned) > 1:
            turned = list(_placed(ctx.me, turned, names))
            names = (*names, _PLACE)
        ordered = yield from merge_all(ctx.at("merge"), turned, names)
    else:
        ordered = yield from order(ctx.at("order"), reduce(union, turned), names)
    kept = ordered.select((c for c in ordered.columns if c != _PLACE), ordered.sums)
    result = _turned(ctx.me, kept, by, backwards)
    return read_backwards(result) if backwards else result


def read_backwards(relation: Relation) -> Relation:
    """Put the last row first; missing rows, if they stood last, stand first then. Local."""
    rows = relation.rows()
    planes = concat_planes([relation.valid, rows.bits])
    bits = Bits(reversed_rows(planes.own), reversed_rows(planes.next))
    sums = Arith(*(x[:, ::-1].copy() for x in (rows.sums.own, rows.sums.next)))
    return replace(relation.with_rows(Rows(relation.n, bits[1:], sums)), valid=bits[:1])


def _turned(me: Party, relation: Relation, by: tuple[By, ...], backwards: bool) -> Relation:
    """Flip columns so that they ascend with NULLs last, or in the order read backwards; undo it."""
    columns, changed = dict(relation.columns), False
    for one in by:
        column = columns[one.column]
        value = column.value.flip(me) if one.descending != backwards else column.value
        planes, new = [value], one.descending != backwards
        if column.nullable:
            flip = one.nulls_first != backwards
            planes.insert(0, column.null.flip(me) if flip else column.null)
            new |= flip
        columns[one.column] = Column(concat_planes(planes), column.nullable)
        changed |= new
    if not changed:
        return relation
    return replace(relation, columns=columns, sorted_by=None)


def _placed(
    me: Party, parts: Sequence[Relation], by: tuple[str, ...]
) -> Iterator[Relation]:
    """Add a column with every row's number, counted through all parts, which are sorted by `by`."""
    total, before = sum(part.n for part in parts), 0
    for part in parts:
        numbers = np.arange(before, before + part.n, dtype=np.uint64)
        planes = public_bits(me, to_planes(numbers, max((total - 1).bit_length(), 1)))
        columns = {**part.columns, _PLACE: Column(planes, False)}
        yield replace(part, columns=columns, sorted_by=(*by, _PLACE))
        before += part.n
