"""How many distinct persons stand behind each value of a group, and whether one dominates it.

A total may rest on one person although the group has many: the others' values may be NULL, be
zero, or fail a condition. So each person's own total is formed first, in secret, and those that
are not zero are counted; likewise the persons who have a value in a bits column at all. Of the
same totals, `dominance` tells whether the largest have too much of their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.dominance import Limits, dominated
from protocols.rep3.group import Grouping, group
from protocols.rep3.multiply import multiply
from protocols.rep3.relation import Relation, sums_of
from protocols.rep3.segments import segments
from protocols.rep3.share import Arith, Bits, concat_planes, stack
from protocols.rounds import Steps, parallel


@dataclass(frozen=True, slots=True)
class Largest:
    """Which sums no person may dominate.

    Attributes:
        sums: sum columns; signed: those of them that may be negative, of which the persons'
            totals count without their sign.
        most: public bound on the number of groups.
    """

    sums: tuple[str, ...]
    signed: tuple[str, ...]
    limits: Limits
    most: int


NOBODY = Largest((), (), Limits(), 0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of each class of persons.

    Attributes:
        sums: sum columns; a person is behind one if their own total in the group is not 0.
        columns: bits columns; a person is behind one if they have a row where it isn't NULL.
    """

    sums: tuple[str, ...]
    columns: tuple[str, ...]
    largest: Largest = NOBODY


def supports(
    ctx: Context,
    relation: Relation,
    keys: tuple[str, ...],
    persons: Sequence[tuple[str, ...]],
    wanted: Wanted,
) -> Steps[dict[str, Arith]]:
    """Count, for each group and the i-th class of persons, those behind each value.

    Args:
        relation: with clean sums.
        persons: columns; a tuple with a NULL is nobody.

    Returns:
        support_i_NAME, each of shape (n,), or (64,) without keys: groups in the order in which
        `group` returns them, by `keys` alone. Likewise dominated_i_NAME of `largest`, 1 or 0, but
        for no more groups than there may be.

    Cost: for each class a `group` and `segments`, and two signs a value and row; for each sum of
        `largest` a `dominated`. Security: semi-honest, honest majority; no leakage.
    """
    known = yield from _known(ctx.at("known"), relation, wanted.columns)
    marked = replace(relation, sums={**relation.sums, **known})
    found = yield from parallel(
        *(
            _supports(ctx.at(f"{i}"), marked, keys, person, wanted)
            for i, person in enumerate(persons)
        )
    )
    named: dict[str, Arith] = {}
    for i, (counted, large) in enumerate(found):
        names = (*wanted.sums, *wanted.columns)
        named |= {f"support_{i}_{name}": counted[j] for j, name in enumerate(names)}
        named |= {f"dominated_{i}_{n}": large[j] for j, n in enumerate(wanted.largest.sums)}
    return named


def _known(ctx: Context, relation: Relation, columns: tuple[str, ...]) -> Steps[dict[str, Arith]]:
    """Mark the rows that are there and have a value, one 0/1 sum column for each bits column."""
    if not columns:
        return {}
    values = concat_planes([relation.columns[name].null.flip(ctx.me) for name in columns])
    known = yield from and_bits(ctx.at("there"), values, relation.valid)
    flags = yield from bits_to_arith(ctx.at("flags"), known, relation.n)
    return {f"#{name}": flags[i] for i, name in enumerate(columns)}


def _supports(
    ctx: Context, relation: Relation, keys: tuple[str, ...], person: tuple[str, ...], what: Wanted
) -> Steps[tuple[Arith, Arith]]:
    """Return counts (values, n) and flags (largest, most)."""
    names = (*what.sums, *(f"#{name}" for name in what.columns))
    added = tuple(dict.fromkeys((*names, *what.largest.sums)))
    by = tuple(dict.fromkeys(keys + person))
    people = yield from group(ctx.at("people"), relation, Grouping(by, (), added, ()))
    somebody = yield from _somebody(ctx.at("somebody"), people, person)
    flags, parts = yield from parallel(
        _not_zero(ctx.at("behind"), people, names, somebody),
        _parts(ctx.at("parts"), people, what.largest, somebody),
    )
    columns = stack([*flags, *parts])
    found = yield from segments(ctx.at("groups"), people, keys, columns, what.largest.most)
    groups, totals = found
    if not parts:
        return totals, totals
    sums = totals[len(names) :, : groups.most]
    step = dominated(ctx.at("largest"), groups, stack(parts), sums, what.largest.limits)
    return totals[: len(names)], (yield from step)


def _somebody(ctx: Context, people: Relation, person: tuple[str, ...]) -> Steps[Bits | None]:
    """Tell which rows are of a person: a NULL is nobody. None if all are."""
    null = [people.columns[name].null for name in person if people.columns[name].nullable]
    if not null:
        return None
    known = null[0].flip(ctx.me)
    for i, plane in enumerate(null[1:]):
        known = yield from and_bits(ctx.at(f"{i}"), known, plane.flip(ctx.me))
    return known


def _not_zero(
    ctx: Context, people: Relation, names: tuple[str, ...], somebody: Bits | None
) -> Steps[list[Arith]]:
    """Mark as 1 whose own total isn't 0, a column for each name."""
    if not names:
        return []
    totals = sums_of(people.select((), names))
    signs = yield from sign(ctx.at("sign"), stack([totals, totals.scale(-1)]))
    not_zero = signs[: len(names)] ^ signs[len(names) :]
    if somebody is not None:
        not_zero = yield from and_bits(ctx.at("known"), not_zero, somebody)
    flags = yield from bits_to_arith(ctx.at("flags"), not_zero, people.n)
    return [flags[i] for i in range(len(names))]


def _parts(
    ctx: Context, people: Relation, largest: Largest, somebody: Bits | None
) -> Steps[list[Arith]]:
    """Return what each person adds to each sum: its total without the sign."""
    parts = dict(zip(largest.sums, (people.sums[n] for n in largest.sums), strict=True))
    if largest.signed:
        totals = stack([parts[name] for name in largest.signed])
        signs = yield from sign(ctx.at("sign"), totals)
        less = yield from bits_to_arith(ctx.at("less"), signs, people.n)
        below = yield from multiply(ctx.at("below"), less, totals)
        found = totals - below.scale(2)
        parts |= {name: found[i] for i, name in enumerate(largest.signed)}
    if parts and somebody is not None:
        flag = yield from bits_to_arith(ctx.at("somebody"), somebody, people.n)
        flags = stack([flag[0]] * len(parts))
        kept = yield from multiply(ctx.at("kept"), flags, stack(list(parts.values())))
        return [kept[i] for i in range(len(parts))]
    return list(parts.values())
