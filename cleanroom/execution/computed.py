"""New columns of secret rows from those that they have: between one group-by and the next."""

from collections.abc import Iterator
from dataclasses import replace

from cleanroom.execution.conditions import evaluate
from cleanroom.execution.terms import derive
from cleanroom.plan.conditions import And, CompareSums, Not, Or, Predicate, Term
from cleanroom.plan.nodes import Compute, Computed, Derived
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import arith_to_bits, bits_to_arith, bits_to_number
from protocols.rep3.group import cleaned
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Arith, Bits, concat_planes
from protocols.rounds import Steps, parallel


def computed(ctx: Context, relation: Relation, node: Compute) -> Steps[Relation]:
    """Compute a plan's Compute on shares.

    Cost: a conversion for each bits column that is used as a number and each sum that becomes
        bits; the terms and conditions themselves.
    Security: semi-honest, honest majority; no leakage.
    """
    wide = yield from _with_numbers(ctx.at("numbers"), relation, node)
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


def _with_numbers(ctx: Context, relation: Relation, node: Compute) -> Steps[Relation]:
    """Add a sum column #c for each bits column c that a term needs."""
    wanted = [n for n in dict.fromkeys(_factors(node)) if n.startswith("#")]
    below = schema_of(node.input)
    numbers = yield from parallel(
        *(
            _number(ctx.at(name), relation.columns[name[1:]], below.bits_column(name[1:]).low)
            for name in wanted
        )
    )
    sums = {**relation.sums, **dict(zip(wanted, numbers, strict=True))}
    return replace(relation, sums=sums)


def _number(ctx: Context, column: Column, low: int) -> Steps[Arith]:
    n = 64 * column.planes.shape[1]
    number = yield from bits_to_number(ctx.at("number"), column.value, n)
    if not column.nullable:
        return number.shift(ctx.me, low)
    known = yield from bits_to_arith(ctx.at("known"), column.null.flip(ctx.me), n)
    return number + known[0].scale(low)


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
        return relation.columns[str(one.of)]
    shifted = value.shift(ctx.me, -one.column.low)
    planes = yield from arith_to_bits(ctx.at("bits"), shifted, one.column.bits)
    if one.known is None:
        return Column(planes, False)
    kept = yield from and_bits(ctx.at("kept"), planes, known)
    return Column(concat_planes([known.flip(ctx.me), kept]), True)


def _factors(node: Compute) -> Iterator[str]:
    for derived in node.sums:
        yield from _of_terms(derived.terms)
    for one in node.bits:
        if not isinstance(one.of, str):
            yield from _of_terms(one.of)
        if one.known is not None:
            yield from _of_predicate(one.known)
    if node.where is not None:
        yield from _of_predicate(node.where)


def _of_terms(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        yield from term.factors
        if term.when is not None:
            yield from _of_predicate(term.when)


def _of_predicate(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case CompareSums(_, terms, known):
            yield from _of_terms(terms)
            if known is not None:
                yield from _of_predicate(known)
        case Not(operand):
            yield from _of_predicate(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _of_predicate(operand)
