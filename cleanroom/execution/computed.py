"""New columns of secret rows from those that they have: between one group-by and the next."""

from collections.abc import Iterator

from cleanroom.execution.conditions import evaluate
from cleanroom.execution.numbers import of_predicate, of_terms, with_numbers
from cleanroom.execution.terms import derive
from cleanroom.plan.conditions import Predicate
from cleanroom.plan.nodes import Compute, Computed, Derived
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import arith_to_bits
from protocols.rep3.group import cleaned
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Arith, Bits, concat_planes, same_bit
from protocols.rounds import Steps, parallel


def computed(ctx: Context, relation: Relation, node: Compute) -> Steps[Relation]:
    """Compute a plan's Compute on shares.

    Cost: a conversion for each bits column that is used as a number and each sum that becomes
        bits; the terms and conditions themselves.
    Security: semi-honest, honest majority; no leakage.
    """
    below = schema_of(node.input)
    wide = yield from with_numbers(ctx.at("numbers"), relation, below, _factors(node))
    totals = list(node.sums)
    totals += [Derived(c.column.name, 0, c.of) for c in node.bits if not isinstance(c.of, str)]
    values = yield from derive(ctx.at("sums"), wide, totals)
    there, *columns_known = yield from parallel(
        _there(ctx.at("where"), wide, node.where),
        *(_known(ctx.at(f"known{i}"), wide, c) for i, c in enumerate(node.bits)),
    )
    columns = yield from parallel(
        *(
            _column(ctx.at(f"column{i}"), wide, c, values.get(c.column.name), known)
            for i, (c, known) in enumerate(zip(node.bits, columns_known, strict=True))
        )
    )
    made = Relation(
        relation.n,
        there,
        {c.column.name: column for c, column in zip(node.bits, columns, strict=True)},
        {d.name: values[d.name] for d in node.sums},
        clean=False,
    )
    return (yield from cleaned(ctx.at("clean"), made))


def _known(ctx: Context, relation: Relation, one: Computed) -> Steps[Bits]:
    if one.known is None:
        return relation.valid
    true, _ = yield from evaluate(ctx, relation, one.known)
    return true


def _there(ctx: Context, relation: Relation, where: Predicate | None) -> Steps[Bits]:
    if where is None:
        return relation.valid
    true, _ = yield from evaluate(ctx.at("true"), relation, where)
    return (yield from and_bits(ctx.at("there"), relation.valid, true))


def _column(
    ctx: Context, relation: Relation, one: Computed, value: Arith | None, known: Bits
) -> Steps[Column]:
    if isinstance(one.of, str) or value is None:
        column = relation.columns[str(one.of)]
        if one.column.nullable and not column.nullable:
            never = same_bit(ctx.me, 0, relation.n)
            return Column(concat_planes([never, column.planes]), True)
        return column if one.column.nullable else Column(column.value, False)
    shifted = value.shift(ctx.me, -one.column.low)
    planes = yield from arith_to_bits(ctx.at("bits"), shifted, one.column.bits)
    if one.known is None:
        return Column(planes, False)
    kept = yield from and_bits(ctx.at("kept"), planes, known)
    return Column(concat_planes([known.flip(ctx.me), kept]), True)


def _factors(node: Compute) -> Iterator[str]:
    for derived in node.sums:
        yield from of_terms(derived.terms)
    for one in node.bits:
        if not isinstance(one.of, str):
            yield from of_terms(one.of)
        if one.known is not None:
            yield from of_predicate(one.known)
    if node.where is not None:
        yield from of_predicate(node.where)
