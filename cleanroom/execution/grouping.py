"""A plan's Aggregate in the words of `protocols.rep3.group`."""

from dataclasses import replace

from cleanroom.plan.grouping import Quantile
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.convert import bits_to_arith, bits_to_number
from protocols.rep3.distinct import Distinct
from protocols.rep3.group import Extreme, Grouping
from protocols.rep3.quantile import Rank
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Arith
from protocols.rounds import Steps, parallel


def grouping_of(node: Aggregate) -> Grouping:
    """Return what `group` computes; a middle is two ranks here, `add_middles` adds them up."""
    below = schema_of(node.input)
    distincts = (
        Distinct(d.name, d.kind, (d.column,), below.bits_column(d.column).low)
        for d in node.distincts
    )
    return Grouping(
        node.keys,
        node.persons,
        node.sums,
        tuple(Extreme(x.name, x.kind, x.column) for x in node.extremes),
        tuple(distincts),
        tuple(rank for quantile in node.quantiles for rank in _ranks(quantile)),
        node.carried,
    )


def _ranks(q: Quantile) -> tuple[Rank, ...]:
    at = Rank(q.name, q.column, q.weight, q.numerator, q.denominator)
    if q.kind == "at":
        return (at,)
    return replace(at, name=_lower(q)), replace(at, name=_upper(q), beyond=True)


def _lower(quantile: Quantile) -> str:
    return f"{quantile.name}#lower"


def _upper(quantile: Quantile) -> str:
    return f"{quantile.name}#upper"


def add_middles(ctx: Context, node: Aggregate, groups: Relation) -> Steps[Relation]:
    """Replace both middle values of each median by their sum, 0 in groups without values."""
    middles = [quantile for quantile in node.quantiles if quantile.kind == "middle"]
    below = schema_of(node.input)
    totals = yield from parallel(
        *(
            _sum_of(
                ctx.at(q.name),
                groups,
                (groups.columns[_lower(q)], groups.columns[_upper(q)]),
                below.bits_column(q.column).low,
            )
            for q in middles
        )
    )
    used = {name for q in middles for name in (_lower(q), _upper(q))}
    columns = {name: column for name, column in groups.columns.items() if name not in used}
    sums = {q.name: total for q, total in zip(middles, totals, strict=True)}
    return replace(groups, columns=columns, sums={**groups.sums, **sums})


def _sum_of(
    ctx: Context, groups: Relation, pair: tuple[Column, Column], low: int
) -> Steps[Arith]:
    known = yield from and_bits(ctx.at("known"), pair[0].null.flip(ctx.me), groups.valid)
    kept = yield from parallel(
        *(and_bits(ctx.at(f"kept{i}"), c.value, known) for i, c in enumerate(pair))
    )
    mark, *numbers = yield from parallel(
        bits_to_arith(ctx.at("mark"), known, groups.n),
        *(bits_to_number(ctx.at(f"number{i}"), v, groups.n) for i, v in enumerate(kept)),
    )
    return numbers[0] + numbers[1] + mark[0].scale(2 * low)
