"""A plan's regression on shares: sum columns scaled by public bounds, then one descent."""

import numpy as np

from cleanroom.plan.grouping import Fit, Scaled
from protocols.context import Context
from protocols.rep3.convert import bits_to_arith
from protocols.rep3.fixed import cross, rescale, reshare
from protocols.rep3.regression import Descent, fit_linear, fit_logistic
from protocols.rep3.relation import Relation
from protocols.rep3.share import Arith, stack
from protocols.rep3.standard import UNIT_BITS
from protocols.rounds import Steps, parallel


def fitted(ctx: Context, relation: Relation, fit: Fit) -> Steps[dict[str, Arith]]:
    """Fit a regression over rows that are there.

    Returns:
        the fit's results, shape (64,) each, in row 0 of the only group.

    Cost, security: those of `fit_logistic` or `fit_linear`, a product for
    each column, and a rescaling of wide ones.
    """
    flags = yield from bits_to_arith(ctx.at("there"), relation.valid, relation.n)
    there, wanted = flags[0], (*fit.features, fit.target)
    given = stack([relation.sums[one.column] for one in wanted])
    # Whatever a join says of its sums: it only clears those of the side without a match.
    kept = yield from reshare(ctx.at("clear"), cross(np.multiply, given, flags))
    target = kept[-1]
    if fit.kind == "logistic":
        wanted = fit.features
    columns = yield from parallel(
        *(_scaled(ctx.at(f"column{i}"), kept[i], there, one) for i, one in enumerate(wanted))
    )
    table = stack([there.scale(1 << UNIT_BITS), *columns])
    descent, at = Descent(fit.iterations, fit.l2, fit.least_rows), ctx.at(fit.kind)
    if fit.kind == "logistic":
        found = yield from fit_logistic(at, there, table, target, descent)
    else:
        found = yield from fit_linear(at, there, table, descent)
    return {name: _in_row_0(found[i : i + 1]) for i, name in enumerate(fit.results)}


def _scaled(ctx: Context, values: Arith, there: Arith, one: Scaled) -> Steps[Arith]:
    """Bring a column to between -1 and 1 at scale UNIT_BITS, 0 in rows that are not there."""
    middle = one.low + (1 << one.bits - 1)
    moved, more = values - there.scale(middle), UNIT_BITS + 1 - one.bits
    if more >= 0:
        return moved.scale(1 << more)
    return (yield from rescale(ctx, moved.own, -more))


def _in_row_0(one: Arith) -> Arith:
    own, following = np.zeros(64, dtype=np.uint64), np.zeros(64, dtype=np.uint64)
    own[:1], following[:1] = one.own, one.next
    return Arith(own, following)
