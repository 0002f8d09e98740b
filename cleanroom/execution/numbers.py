"""Bits columns as numbers: the factors '#c' of terms, converted where a term needs them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cleanroom.execution.conditions import Truth, evaluate
from cleanroom.plan.conditions import And, CompareSums, Not, Or, Predicate, Term
from cleanroom.plan.schema import Schema
from protocols.context import Context
from protocols.rep3.convert import bits_to_arith, bits_to_number
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Arith
from protocols.rounds import Steps, parallel


def holds(
    ctx: Context, relation: Relation, schema: Schema, condition: Predicate
) -> Steps[Truth]:
    """Evaluate a condition that may name bits columns as numbers."""
    wide = yield from with_numbers(ctx.at("numbers"), relation, schema, of_predicate(condition))
    return (yield from evaluate(ctx.at("true"), wide, condition))


def with_numbers(
    ctx: Context, relation: Relation, schema: Schema, factors: Iterable[str]
) -> Steps[Relation]:
    """Add a sum column #c for each bits column c that is named so: low + bits, 0 where NULL.

    Cost: a conversion of each such column.
    """
    wanted = [name for name in dict.fromkeys(factors) if name.startswith("#")]
    numbers = yield from parallel(
        *(
            _number(ctx.at(name), relation.columns[name[1:]], schema.bits_column(name[1:]).low)
            for name in wanted
        )
    )
    return replace(relation, sums={**relation.sums, **dict(zip(wanted, numbers, strict=True))})


def _number(ctx: Context, column: Column, low: int) -> Steps[Arith]:
    n = 64 * column.planes.shape[1]
    number = yield from bits_to_number(ctx.at("number"), column.value, n)
    if not column.nullable:
        return number.shift(ctx.me, low)
    known = yield from bits_to_arith(ctx.at("known"), column.null.flip(ctx.me), n)
    return number + known[0].scale(low)


def of_terms(terms: Iterable[Term]) -> Iterator[str]:
    """Yield the factors of terms and of their conditions."""
    for term in terms:
        yield from term.factors
        if term.when is not None:
            yield from of_predicate(term.when)


def of_predicate(predicate: Predicate) -> Iterator[str]:
    """Yield the factors of the sums that a condition compares."""
    match predicate:
        case CompareSums(_, terms, known):
            yield from of_terms(terms)
            if known is not None:
                yield from of_predicate(known)
        case Not(operand):
            yield from of_predicate(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from of_predicate(operand)
