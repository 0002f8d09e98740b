"""Rows numbered, compared with their neighbours and added up within partitions.

The rows of a partition stand next to each other, in order. Shifting rows and running sums are
local; what isn't is where a row's partition begins. So the last rows of all partitions are moved
to the front, where differences of neighbours are local, and these are moved back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, bits_to_number
from protocols.rep3.distinct import same_as_previous
from protocols.rep3.place import to_front, unplace
from protocols.rep3.relation import Column, Relation
from protocols.rep3.rows import Rows, no_bits
from protocols.rep3.scan import (
    last_rows,
    next_row,
    previous_row,
    running_sum,
    undo_running_sum,
)
from protocols.rep3.share import Arith, Bits, concat_planes, public_arith, stack
from protocols.rounds import U64, Steps, parallel


@dataclass(frozen=True, slots=True)
class Numbering:
    """A row's place in its partition from 1: its own, or that of the first row equal to it in
    the order, counting rows ("rank") or distinct values ("dense_rank")."""

    name: str
    kind: Literal["row_number", "rank", "dense_rank"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The value of a bits column `distance` rows before, or after if negative; else NULL."""

    name: str
    column: str
    distance: int


@dataclass(frozen=True, slots=True)
class PartitionTotal:
    """In each row, over its partition: how many rows have a value in `column`, or their sum.

    Attributes:
        column: a bits column; None counts all rows. A value is low + bits.
    """

    name: str
    kind: Literal["count", "sum"]
    column: str | None
    low: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Attributes: partition, order: bits columns. Rows equal in both are peers."""

    partition: tuple[str, ...]
    order: tuple[str, ...]
    numberings: tuple[Numbering, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    totals: tuple[PartitionTotal, ...] = ()


def windowed(ctx: Context, relation: Relation, what: Window) -> Steps[Relation]:
    """Add the columns of a window to rows that stand in its order.

    Args:
        relation: missing rows first or last, the rows of a partition next to each other, and of
            these the peers.

    Returns:
        the same rows in the same order; numberings and totals are sum columns, neighbours
        nullable bits columns. In missing rows they hold anything.

    Cost: an `equal` of partition and order of neighbouring rows; for numberings or totals a
        `to_front` and an `unplace` of one integer column for each, and once more for "rank", in
        the same rounds; an AND of each neighbour's column. Over a partition of 5 bits: 11 rounds
        and 81 bytes a row by P0 for "row_number", 12 and 161 with "rank", 4 and 2 for "lag".
    Security: semi-honest, honest majority; no leakage: the only openings are those of `place`,
        uniformly random permutations.
    """
    same, peers = yield from _boundaries(ctx.at("same"), relation, what)
    (numbers, totals), shifted = yield from parallel(
        parallel(
            _numbered(ctx.at("number"), relation.n, same, peers, what.numberings),
            _totals(ctx.at("total"), relation, same, what.totals),
        ),
        _neighbours(ctx.at("neighbour"), relation, same, what.neighbours),
    )
    return replace(
        relation,
        columns={**relation.columns, **shifted},
        sums={**relation.sums, **numbers, **totals},
        clean=False,
    )


def _boundaries(ctx: Context, relation: Relation, what: Window) -> Steps[tuple[Bits, Bits]]:
    """Tell of each row whether it is of the partition, and a peer, of the row before."""
    ranked = any(one.kind != "row_number" for one in what.numberings)
    further = [relation.columns[name].planes for name in what.order] if ranked else []
    steps = [same_as_previous(ctx.at("partition"), relation.key(ctx.me, what.partition))]
    if further:
        steps.append(same_as_previous(ctx.at("order"), concat_planes(further)))
    found = yield from parallel(*steps)
    if not further:
        return found[0], found[0]
    peers = yield from and_bits(ctx.at("peers"), *found)
    return found[0], peers


def before_segment(ctx: Context, same: Bits, columns: Arith) -> Steps[Arith]:
    """Give each row what (m, n) columns hold in the last row before its segment, else 0.

    Args:
        same: one plane: whether a row is of the segment of the row before.

    Cost: a `to_front` and an `unplace` of the columns: 8 rounds.
    Security: semi-honest, honest majority; no leakage.
    """
    n = columns.shape[1]
    ends = last_rows(ctx.me, same)
    rows, placed = yield from to_front(ctx.at("front"), no_bits(n), columns, ends)
    steps = Rows(n, no_bits(n), undo_running_sum(rows.sums))
    back = yield from unplace(ctx.at("back"), steps, placed)
    return running_sum(back.sums) - back.sums


def over_segment(ctx: Context, same: Bits, columns: Arith) -> Steps[Arith]:
    """Give each row the total of (m, n) columns over its segment.

    Cost and security: as `before_segment`.
    """
    n = columns.shape[1]
    ends = last_rows(ctx.me, same)
    rows, placed = yield from to_front(ctx.at("front"), no_bits(n), running_sum(columns), ends)
    totals = undo_running_sum(rows.sums)  # zero behind the last segment
    steps = Rows(n, no_bits(n), _up(totals) - totals)
    back = yield from unplace(ctx.at("back"), steps, placed)
    changed = running_sum(back.sums) - back.sums
    first = totals[:, :1]
    return Arith(changed.own + first.own, changed.next + first.next)


def _numbered(
    ctx: Context, n: int, same: Bits, peers: Bits, wanted: Sequence[Numbering]
) -> Steps[dict[str, Arith]]:
    if not wanted:
        return {}
    kinds = {one.kind for one in wanted}
    here = public_arith(ctx.me, np.arange(1, n + 1, dtype=np.uint64))
    counted = [here]
    if "dense_rank" in kinds:
        firsts = yield from bits_to_arith(ctx.at("firsts"), peers.flip(ctx.me), n)
        counted.append(running_sum(firsts[0]))
    steps = [before_segment(ctx.at("partition"), same, stack(counted))]
    if "rank" in kinds:
        steps.append(before_segment(ctx.at("peers"), peers, stack([here])))
    before, *peers_before = yield from parallel(*steps)
    found = {"row_number": here - before[0]}
    if "dense_rank" in kinds:
        found["dense_rank"] = counted[1] - before[1]
    if "rank" in kinds:
        found["rank"] = (peers_before[0][0] - before[0]).shift(ctx.me, 1)
    return {one.name: found[one.kind] for one in wanted}


def _neighbours(
    ctx: Context, relation: Relation, same: Bits, wanted: Sequence[Neighbour]
) -> Steps[dict[str, Column]]:
    columns = yield from parallel(
        *(_neighbour(ctx.at(f"{i}"), relation, same, one) for i, one in enumerate(wanted))
    )
    return {one.name: column for one, column in zip(wanted, columns, strict=True)}


def _neighbour(
    ctx: Context, relation: Relation, same: Bits, one: Neighbour
) -> Steps[Column]:
    column = relation.columns[one.column]
    forward = one.distance < 0
    planes, near = column.planes, next_row(same) if forward else same
    if column.nullable:
        planes = concat_planes([column.null.flip(ctx.me), column.value])
    for _ in range(abs(one.distance)):
        planes = next_row(planes) if forward else previous_row(planes)
    near = yield from _within(ctx.at("near"), near, abs(one.distance), forward=forward)
    kept = yield from and_bits(ctx.at("kept"), planes, near)
    known = kept[:1] if column.nullable else near
    value = kept[1:] if column.nullable else kept
    return Column(concat_planes([known.flip(ctx.me), value]), True)


def _within(ctx: Context, near: Bits, distance: int, *, forward: bool) -> Steps[Bits]:
    """Tell whether the row `distance` away is of the partition, from whether the next one is."""
    found, reach = near, 1
    while reach < distance:
        step = min(reach, distance - reach)
        far = found
        for _ in range(step):
            far = next_row(far) if forward else previous_row(far)
        found = yield from and_bits(ctx.at(f"{reach}"), found, far)
        reach += step
    return found


def _totals(
    ctx: Context, relation: Relation, same: Bits, wanted: Sequence[PartitionTotal]
) -> Steps[dict[str, Arith]]:
    if not wanted:
        return {}
    values = yield from parallel(
        *(_added(ctx.at(f"{i}"), relation, one) for i, one in enumerate(wanted))
    )
    totals = yield from over_segment(ctx.at("over"), same, stack(list(values)))
    return {one.name: totals[i] for i, one in enumerate(wanted)}


def _added(ctx: Context, relation: Relation, one: PartitionTotal) -> Steps[Arith]:
    """Return what each row adds to a total; nothing if it is missing or has no value."""
    known, column = relation.valid, relation.columns.get(one.column or "")
    if column is not None and column.nullable:
        known = yield from and_bits(ctx.at("known"), known, column.null.flip(ctx.me))
    flag = (yield from bits_to_arith(ctx.at("flag"), known, relation.n))[0]
    if one.kind == "count" or column is None:
        return flag
    bits = yield from and_bits(ctx.at("bits"), column.value, known)
    number = yield from bits_to_number(ctx.at("number"), bits, relation.n)
    return number + flag.scale(one.low)


def _up(columns: Arith) -> Arith:
    """Give each row the values of the row after it, the last row zeros."""
    return Arith(*map(_shifted_up, (columns.own, columns.next)))


def _shifted_up(columns: U64) -> U64:
    out = np.zeros_like(columns)
    out[:, :-1] = columns[:, 1:]
    return out
