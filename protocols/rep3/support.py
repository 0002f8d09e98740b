"""How many distinct persons stand behind each value of a group, not only behind the group.

A total may rest on one person although the group has many: the others' values may be NULL, be
zero, or fail a condition. So each person's own total is formed first, in secret, and those that
are not zero are counted; likewise the persons who have a value in a bits column at all.
"""

from collections.abc import Sequence
from dataclasses import replace

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.group import Grouping, group
from protocols.rep3.relation import Relation, sums_of
from protocols.rep3.share import Arith, concat_planes, stack
from protocols.rounds import Steps, parallel


def supports(
    ctx: Context,
    relation: Relation,
    keys: tuple[str, ...],
    persons: Sequence[tuple[str, ...]],
    sums: tuple[str, ...],
    columns: tuple[str, ...],
) -> Steps[dict[str, Arith]]:
    """Count, for each group and the i-th class of persons, those behind each value.

    Args:
        relation: with clean sums.
        persons: columns; a tuple with a NULL is nobody.
        sums: sum columns; a person is behind one if their own total in the group is not 0.
        columns: bits columns; a person is behind one if they have a row where it isn't NULL.

    Returns:
        support_i_NAME, each of shape (n,), or (64,) without keys: groups in the order in which
        `group` returns them, by `keys` alone.

    Cost: for each class two `group`s, of which the second needs no sorting, and two signs a
        value and row. Security: semi-honest, honest majority; no leakage.
    """
    known = yield from _known(ctx.at("known"), relation, columns)
    marked = replace(relation, sums={**relation.sums, **known})
    counted = yield from parallel(
        *(
            _supports(ctx.at(f"{i}"), marked, keys, person, (*sums, *known))
            for i, person in enumerate(persons)
        )
    )
    names = (*sums, *columns)
    return {
        f"support_{i}_{name}": column
        for i, groups in enumerate(counted)
        for name, column in zip(names, groups.sums.values(), strict=True)
    }


def _known(ctx: Context, relation: Relation, columns: tuple[str, ...]) -> Steps[dict[str, Arith]]:
    """Mark the rows that are there and have a value, one 0/1 sum column for each bits column."""
    if not columns:
        return {}
    values = concat_planes([relation.columns[name].null.flip(ctx.me) for name in columns])
    known = yield from and_bits(ctx.at("there"), values, relation.valid)
    flags = yield from bits_to_arith(ctx.at("flags"), known, relation.n)
    return {f"#{name}": flags[i] for i, name in enumerate(columns)}


def _supports(
    ctx: Context,
    relation: Relation,
    keys: tuple[str, ...],
    person: tuple[str, ...],
    names: tuple[str, ...],
) -> Steps[Relation]:
    by = tuple(dict.fromkeys(keys + person))
    people = yield from group(ctx.at("people"), relation, Grouping(by, (), names, ()))
    totals = sums_of(people.select((), names))
    signs = yield from sign(ctx.at("sign"), stack([totals, totals.scale(-1)]))
    not_zero = signs[: len(names)] ^ signs[len(names) :]
    for name in person:
        if people.columns[name].nullable:  # NULL is nobody
            known = people.columns[name].null.flip(ctx.me)
            not_zero = yield from and_bits(ctx.at(f"known/{name}"), not_zero, known)
    flags = yield from bits_to_arith(ctx.at("flags"), not_zero, people.n)
    behind = replace(people, sums={name: flags[i] for i, name in enumerate(names)})
    return (yield from group(ctx.at("groups"), behind, Grouping(keys, (), names, ())))
