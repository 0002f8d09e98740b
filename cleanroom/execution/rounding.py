"""Counts of groups, rounded and redacted before anything else sees them."""

from collections.abc import Mapping
from dataclasses import replace

from cleanroom.plan.controls import Rounding
from protocols.context import Context
from protocols.rep3.relation import Relation
from protocols.rep3.rounding import rounded
from protocols.rep3.share import Arith, stack
from protocols.rounds import Steps


def rounded_counts(
    ctx: Context, groups: Relation, rounding: Rounding | None
) -> Steps[tuple[Relation, Mapping[str, Arith]]]:
    """Replace counts by what may be told of them, 0 where nothing may.

    Returns:
        the groups, and by name what is taken from a count when it is opened: 1 where it is
        redacted, so that it reads -1.
    """
    if rounding is None or not rounding.counts:
        return groups, {}
    counts = stack([groups.sums[name] for name in rounding.counts])
    told, hidden = yield from rounded(ctx, counts, rounding.rule)
    sums = {name: told[i] for i, name in enumerate(rounding.counts)}
    marks = {name: hidden[i] for i, name in enumerate(rounding.counts)} if rounding.redact else {}
    return replace(groups, sums={**groups.sums, **sums}), marks
