"""Sums of products of secret columns: the arithmetic of a plan."""

from collections.abc import Sequence

import numpy as np

from cleanroom.execution import conditions
from cleanroom.plan.conditions import Term
from cleanroom.plan.nodes import Derived
from protocols.context import Context
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.multiply import multiply
from protocols.rep3.relation import Relation
from protocols.rep3.share import Arith, concat_planes, public_arith, stack
from protocols.rounds import Steps, parallel


def total(ctx: Context, relation: Relation, terms: Sequence[Term]) -> Steps[Arith]:
    """Add up terms; shape (n,)."""
    values = yield from totals(ctx, relation, [terms])
    return values[0]


def derive(ctx: Context, relation: Relation, sums: Sequence[Derived]) -> Steps[dict[str, Arith]]:
    """Compute new sum columns by name."""
    values = yield from totals(ctx, relation, [derived.terms for derived in sums])
    return {derived.name: value for derived, value in zip(sums, values, strict=True)}


def totals(
    ctx: Context, relation: Relation, columns: Sequence[Sequence[Term]]
) -> Steps[list[Arith]]:
    """Add up several lists of terms, their multiplications in common rounds.

    Cost: one multiplication of n words for each distinct product of two or more factors and
        for each term with a condition; rounds: the most factors of a term.
    """
    flat = [term for terms in columns for term in terms]
    guards = list(dict.fromkeys(term.when for term in flat if term.when is not None))
    products, truths = yield from parallel(
        _products(ctx.at("products"), relation, [term.factors for term in flat]),
        parallel(
            *(
                conditions.evaluate(ctx.at(f"when{i}"), relation, guard)
                for i, guard in enumerate(guards)
            )
        ),
    )
    values = {i: products[term.factors] for i, term in enumerate(flat)}
    if guards:
        true = concat_planes([truth[0] for truth in truths])
        flags = yield from bits_to_arith(ctx.at("flags"), true, relation.n)
        guarded = [i for i, term in enumerate(flat) if term.when is not None]
        kept = yield from multiply(
            ctx.at("guard"),
            stack([values[i] for i in guarded]),
            stack([flags[guards.index(when)] for i in guarded if (when := flat[i].when)]),
        )
        values.update({i: kept[row] for row, i in enumerate(guarded)})
    places = iter(range(len(flat)))
    return [_add(relation.n, [(term, values[next(places)]) for term in terms]) for terms in columns]


def _products(
    ctx: Context, relation: Relation, wanted: Sequence[tuple[str, ...]]
) -> Steps[dict[tuple[str, ...], Arith]]:
    """Multiply each tuple of columns, prefixes in common, one round a factor."""
    ones = public_arith(ctx.me, np.ones(relation.n, dtype=np.uint64))
    done: dict[tuple[str, ...], Arith] = {(): ones}
    done.update({(name,): relation.sums[name] for factors in wanted for name in factors})
    for length in range(2, max(map(len, wanted), default=0) + 1):
        prefixes = list(dict.fromkeys(f[:length] for f in wanted if len(f) >= length))
        product = yield from multiply(
            ctx.at(f"{length}"),
            stack([done[prefix[:-1]] for prefix in prefixes]),
            stack([relation.sums[prefix[-1]] for prefix in prefixes]),
        )
        done.update({prefix: product[i] for i, prefix in enumerate(prefixes)})
    return done


def _add(n: int, parts: Sequence[tuple[Term, Arith]]) -> Arith:
    zero = np.zeros(n, dtype=np.uint64)
    result = Arith(zero, zero)
    for term, value in parts:
        result = result + value.scale(term.coefficient)
    return result
