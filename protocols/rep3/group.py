"""GROUP BY on secret relations: totals, distinct values, extremes and quantiles of each group.

The rows are sorted by the groups, and once more for each column whose order within the groups
matters; each group lies at the same rows in all of these orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.distinct import Distinct, distinct_values, same_as_previous
from protocols.rep3.multiply import multiply
from protocols.rep3.order import order
from protocols.rep3.place import repeat_rows, to_front
from protocols.rep3.quantile import Rank, values_at_ranks
from protocols.rep3.relation import Column, Relation, planes_of, split_planes, sums_of
from protocols.rep3.scan import last_rows, running_sum, undo_running_sum
from protocols.rep3.share import Arith, Bits, concat_planes, public_bits, stack
from protocols.rounds import Party, Steps, parallel

By: TypeAlias = tuple[str, ...]


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
        persons: tuples of columns; for the i-th, sum column person_i counts distinct values,
            those with a NULL left out.
        sums: sum columns to total.
        distincts: further sum columns; extremes, ranks: further bits columns.
        carried: bits columns of one value in each group; needs keys.
    """

    keys: tuple[str, ...]
    persons: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...]
    extremes: tuple[Extreme, ...]
    distincts: tuple[Distinct, ...] = ()
    ranks: tuple[Rank, ...] = ()
    carried: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the columns that a group has from any of its rows."""
        return self.keys + self.carried

    @property
    def counted(self) -> tuple[Distinct, ...]:
        """All that is counted or added up by distinct values, persons first."""
        persons = (Distinct(f"person_{i}", "count", p) for i, p in enumerate(self.persons))
        return (*persons, *self.distincts)

    @property
    def first_order(self) -> By:
        """The columns by which a relation had better be sorted already."""
        return next(iter(self.orders()))

    def orders(self) -> dict[By, dict[str, None]]:
        """Return the orders of rows that are needed, and which sums travel in each."""
        found: dict[By, dict[str, None]] = {}
        for one in self.counted:
            found.setdefault(self.by(one.columns), {})
        for rank in self.ranks:
            found.setdefault(self.by((rank.column,)), {})[rank.weight] = None
        found = found or {self.keys: {}}
        next(iter(found.values())).update(dict.fromkeys(self.sums))
        return found

    def by(self, columns: By) -> By:
        """Return the groups and then `columns`, each once."""
        return tuple(dict.fromkeys(self.keys + columns))


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
    product = yield from multiply(ctx.at("keep"), repeat_rows(flag[0], m), columns)
    return product


def group(ctx: Context, relation: Relation, what: Grouping) -> Steps[Relation]:
    """Aggregate a relation by groups; groups stand first, in ascending order of their keys.

    Returns:
        a relation of as many rows as the input (64 without keys) with columns keys, carried,
        extremes and ranks and sums `sums`, person_0, person_1, ... and distincts. Without keys
        row 0 is always there.

    Cost: one `order` for each of `orders` and extremes, in the same rounds; then
    `distinct_values`, a multiplication, one `place` and `values_at_ranks`.
    Security: semi-honest, honest majority; no leakage.
    """
    relation = yield from cleaned(ctx.at("clean"), relation)
    if not (what.keys or what.counted or what.extremes or what.ranks):
        return _total(ctx.me, relation, what)
    orders, extremes = yield from _orders(ctx.at("order"), relation, what)
    main = orders[what.first_order]
    same = yield from same_as_previous(ctx.at("same"), main.key(ctx.me, what.keys))
    totals = yield from _totals(ctx.at("new"), same, orders, what)
    end = last_rows(ctx.me, same)
    kept = yield from and_bits(ctx.at("end"), end, main.valid)
    planes = [planes_of(main.select(what.shown, ())), *(x.planes for x in extremes), kept]
    ends = running_sum(totals)
    packed, placement = yield from to_front(ctx.at("front"), concat_planes(planes), ends, kept)
    there, cut = packed.bits[-1:], totals.shape[0] - len(what.ranks)
    sums = undo_running_sum(packed.sums[:cut])
    grouped = _named(relation, what, packed.bits[:-1], there, sums)
    ranked = [orders[what.by((rank.column,))] for rank in what.ranks]
    values = yield from values_at_ranks(
        ctx.at("ranks"), same, ranked, packed.sums[cut:], placement, what.ranks
    )
    named = {rank.name: column for rank, column in zip(what.ranks, values, strict=True)}
    grouped = replace(grouped, columns={**grouped.columns, **named})
    if what.keys:
        return grouped
    single = yield from _single(ctx.at("single"), grouped)
    return single


def _totals(
    ctx: Context, same: Bits, orders: Mapping[By, Relation], what: Grouping
) -> Steps[Arith]:
    """Return what is added up by groups: sums, distinct values, and the weights of ranks."""
    counted = [orders[what.by(one.columns)] for one in what.counted]
    distinct = yield from distinct_values(ctx, same, what.keys, counted, what.counted)
    weights = [orders[what.by((rank.column,))].sums[rank.weight] for rank in what.ranks]
    main = orders[what.first_order].select((), what.sums)
    return stack([sums_of(main), distinct, *weights])


def _orders(
    ctx: Context, relation: Relation, what: Grouping
) -> Steps[tuple[Mapping[By, Relation], Sequence[Column]]]:
    """Sort once for each order and extreme; the groups lie at the same rows in all."""
    wanted = what.orders()
    steps = [
        order(ctx.at(f"by{i}"), relation.select(by if i else _also(by, what), sums), by)
        for i, (by, sums) in enumerate(wanted.items())
    ]
    for i, extreme in enumerate(what.extremes):
        steps.append(_extreme_last(ctx.at(f"extreme{i}"), relation, what.keys, extreme))
    parts = yield from parallel(*steps)
    extremes = [
        _restored(ctx.me, relation.columns[x.column], part.columns[""], x)
        for x, part in zip(what.extremes, parts[len(wanted) :], strict=True)
    ]
    return dict(zip(wanted, parts, strict=False)), extremes


def _also(by: By, what: Grouping) -> By:
    return tuple(dict.fromkeys(by + what.carried))


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


def _named(
    relation: Relation, what: Grouping, bits: Bits, there: Bits, sums: Arith
) -> Relation:
    key_columns = {name: relation.columns[name] for name in what.shown}
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
    names = [*what.sums, *(one.name for one in what.counted)]
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
