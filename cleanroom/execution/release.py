"""The last step on shares: which groups pass, and the shares that the recipient opens of them.

Rule: nothing of a group that doesn't pass is opened, and how many don't is only added up.
"""

from dataclasses import replace

import numpy as np

from cleanroom.execution.numbers import holds
from cleanroom.execution.outcome import Outcome, pack
from cleanroom.execution.top import keep_first, keep_first_rows
from cleanroom.plan.nodes import Release
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal_zero
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.join import keep_or_nothing
from protocols.rep3.relation import Relation
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, Bits, concat_planes, stack, words_for
from protocols.rep3.shuffle import shuffle
from protocols.rounds import Steps, parallel


def release(ctx: Context, node: Release, groups: Relation) -> Steps[Outcome]:
    """Hand the groups that pass to the recipient, in a random order; count those that don't.

    Security: semi-honest, honest majority; leakage the number of groups that pass, unless it is
        hidden: then none.
    """
    groups = _at_most(groups, node.most)
    (large, suppressed), having = yield from parallel(
        _large_enough(ctx.at("persons"), node, groups), _having(ctx.at("having"), node, groups)
    )
    passing = large
    if having is not None:
        passing = yield from and_bits(ctx.at("pass"), large, having)
    names = [name for name in node.opened if name in groups.columns]
    shown = groups.select(names, (name for name in node.opened if name in groups.sums))
    rows = shown.rows()
    marked = replace(rows, bits=concat_planes([rows.bits, passing]))
    if node.top is not None:
        schema = schema_of(node.input)
        marked = yield from keep_first(ctx.at("top"), groups, schema, node.top, marked)
        if node.repeated is not None:
            place = list(shown.sums).index(node.repeated)
            marked = yield from keep_first_rows(ctx.at("rows"), marked, place, node.top.limit)
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


def _large_enough(
    ctx: Context, node: Release, groups: Relation
) -> Steps[tuple[Bits, Arith]]:
    """Return which groups have min_group persons behind each value, and how many haven't."""
    if not node.input.counts:
        zero = np.zeros(1, dtype=np.uint64)
        return groups.valid, Arith(zero, zero)
    bad = yield from _too_few(ctx.at("few"), node, groups)
    none_bad = yield from equal_zero(ctx.at("all"), bad)
    large = yield from and_bits(ctx.at("large"), groups.valid, none_bad)
    flags = yield from bits_to_arith(ctx.at("flags"), groups.valid ^ large, groups.n)
    total = Arith(flags.own.sum(axis=1), flags.next.sum(axis=1))
    return large, total


def _too_few(ctx: Context, node: Release, groups: Relation) -> Steps[Bits]:
    """Return planes of which one is set in each group that has too few persons somewhere."""
    counts = [groups.sums[name] for name in node.input.counts]
    classes = range(len(node.input.persons))
    n_values = len(counts) // len(classes)
    maybe = [c for i in node.optional for c in counts[i * n_values : (i + 1) * n_values]]
    above = [stack(counts).shift(ctx.me, -node.min_group)]
    if not maybe:
        return (yield from sign(ctx.at("sign"), above[0]))
    above.append(stack(maybe).shift(ctx.me, -1))
    signs = yield from sign(ctx.at("sign"), stack(above))
    nobody = signs[len(counts) :]
    small = [signs[i * n_values : (i + 1) * n_values] for i in classes]
    some = yield from and_bits(
        ctx.at("some"), concat_planes([small[i] for i in node.optional]), nobody.flip(ctx.me)
    )
    bad = [some, *(small[i] for i in classes if i not in node.optional)]
    if len(node.optional) == len(classes):
        nowhere = small[0]
        for i in classes[1:]:
            nowhere = yield from and_bits(ctx.at(f"nowhere{i}"), nowhere, small[i])
        bad.append(nowhere)
    return concat_planes(bad)


def _having(ctx: Context, node: Release, groups: Relation) -> Steps[Bits | None]:
    if node.having is None:
        return None
    true, _ = yield from holds(ctx, groups, schema_of(node.input), node.having)
    return true
