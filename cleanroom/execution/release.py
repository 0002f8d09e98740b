"""The last step on shares: which groups pass, and the shares that the recipient opens of them.

Rule: nothing of a group that doesn't pass is opened, and how many don't is only added up.
"""

from collections.abc import Mapping
from dataclasses import replace

from cleanroom.execution.numbers import holds
from cleanroom.execution.outcome import Outcome, pack
from cleanroom.execution.passing import large_enough, more_pass
from cleanroom.execution.rounding import rounded_counts
from cleanroom.execution.top import keep_first, keep_first_rows
from cleanroom.plan.release import Release
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.join import keep_or_nothing
from protocols.rep3.relation import Relation
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, words_for
from protocols.rep3.shuffle import shuffle
from protocols.rounds import Steps, parallel


def release(ctx: Context, node: Release, groups: Relation) -> Steps[Outcome]:
    """Hand the groups that pass to the recipient, in a random order; count those that don't.

    Security: semi-honest, honest majority; leakage the number of groups that pass, unless it is
        hidden: then none.
    """
    groups = _at_most(groups, node.most)
    (large, suppressed), (groups, hidden, having) = yield from parallel(
        large_enough(ctx.at("persons"), node, groups), _chosen(ctx, node, groups)
    )
    passing = large
    if having is not None:
        passing = yield from and_bits(ctx.at("pass"), large, having)
    names = [name for name in node.opened if name in groups.columns]
    shown = groups.select(names, (name for name in node.opened if name in groups.sums))
    less = {name: shown.sums[name] - mark for name, mark in hidden.items() if name in shown.sums}
    shown = replace(shown, sums={**shown.sums, **less})
    rows = shown.rows()
    marked = replace(rows, bits=concat_planes([rows.bits, passing]))
    if node.top is not None:
        schema = schema_of(node.input)
        marked = yield from keep_first(ctx.at("top"), groups, schema, node.top, marked)
        if node.repeated is not None:
            place = list(shown.sums).index(node.repeated)
            marked = yield from keep_first_rows(ctx.at("rows"), marked, place, node.top.limit)
    if node.tells_more and node.top is not None:
        suppressed = yield from more_pass(ctx.at("more"), node, node.top.limit, groups, passing)
    if node.hidden:
        marked = yield from _emptied(ctx.at("empty"), marked)
    if node.input.keys:  # the place of a group tells its rank among all groups
        marked, _ = yield from shuffle(ctx.at("shuffle"), marked)
    if node.hidden:
        return pack(marked, None, suppressed)
    opened = yield from reveal_bits(ctx.at("open"), marked.bits[-1:])
    return pack(replace(marked, bits=marked.bits[:-1]), opened, suppressed)


def _at_most(groups: Relation, bound: int | None) -> Relation:
    """Drop rows behind the last place that a group may have: groups stand first."""
    if bound is None:
        return groups
    return groups.head(min(groups.n, 64 * max(words_for(bound), 1)))


def _emptied(ctx: Context, marked: Rows) -> Steps[Rows]:
    """Zero all columns of rows without the mark, which is the last plane."""
    mark = marked.bits[-1:]
    bits, sums = yield from parallel(
        and_bits(ctx.at("bits"), marked.bits[:-1], mark),
        keep_or_nothing(ctx.at("sums"), mark, marked.sums),
    )
    return replace(marked, bits=concat_planes([bits, mark]), sums=sums)


def _chosen(
    ctx: Context, node: Release, groups: Relation
) -> Steps[tuple[Relation, Mapping[str, Arith], Bits | None]]:
    """Round counts, as `rounded_counts` does, and tell where HAVING is true of these."""
    told, hidden = yield from rounded_counts(ctx.at("round"), groups, node.rounding)
    if node.having is None:
        return told, hidden, None
    true, _ = yield from holds(ctx.at("having"), told, schema_of(node.input), node.having)
    return told, hidden, true
