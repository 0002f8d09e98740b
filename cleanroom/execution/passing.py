"""Which groups may be opened at all: enough persons behind each, and behind each of its values.

Likewise no contributor too large, and no group that gives another away.

Rule: bits on shares; how many don't pass is only added up.
"""

import numpy as np

from cleanroom.plan.release import Release
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal_zero
from protocols.rep3.complementary import protected
from protocols.rep3.convert import bits_to_arith, sign
from protocols.rep3.multiply import multiply
from protocols.rep3.relation import Relation
from protocols.rep3.rows import no_bits
from protocols.rep3.share import Arith, Bits, concat_planes, same_bit, stack
from protocols.rounds import Steps, parallel


def large_enough(ctx: Context, node: Release, groups: Relation) -> Steps[tuple[Bits, Arith]]:
    """Return which groups have min_group persons behind each value, and how many haven't."""
    if not (node.input.counts or node.held or node.input.dominance):
        zero = np.zeros(1, dtype=np.uint64)
        return groups.valid, Arith(zero, zero)
    found = yield from parallel(
        _too_few(ctx.at("few"), node, groups),
        _held_by_few(ctx.at("held"), node, groups),
        _dominated(ctx.at("dominated"), node, groups),
        _owned(ctx.at("owned"), node, groups),
    )
    bad = concat_planes(found)
    none_bad = yield from equal_zero(ctx.at("all"), bad)
    large = yield from and_bits(ctx.at("large"), groups.valid, none_bad)
    if node.complement is not None:
        asked = node.complement
        persons = yield from _fewest(ctx.at("fewest"), groups, asked.persons)
        at = ctx.at("complement")
        large = yield from protected(at, groups, large, persons, asked.lines, asked.least)
    flags = yield from bits_to_arith(ctx.at("flags"), groups.valid ^ large, groups.n)
    total = Arith(flags.own.sum(axis=1), flags.next.sum(axis=1))
    return large, total


def _fewest(ctx: Context, groups: Relation, names: tuple[str, ...]) -> Steps[Arith]:
    """Return the smallest of these columns in each group."""
    fewest = groups.sums[names[0]]
    for name in names[1:]:
        more = groups.sums[name] - fewest
        signs = yield from sign(ctx.at(f"sign/{name}"), stack([more]))
        less = yield from bits_to_arith(ctx.at(f"less/{name}"), signs, groups.n)
        fewest = fewest + (yield from multiply(ctx.at(name), less[0], more))
    return fewest


def _held_by_few(ctx: Context, node: Release, groups: Relation) -> Steps[Bits]:
    """Return for each table of several members which groups have rows of too few of them."""
    counts = [groups.sums[name] for held in node.held for name in held.counts]
    if not counts:
        return no_bits(groups.n)
    absent = yield from sign(ctx.at("absent"), stack(counts).shift(ctx.me, -1))
    flags = yield from bits_to_arith(ctx.at("flags"), absent, groups.n)
    missing, at = [], 0
    for held in node.held:
        n = len(held.counts)
        part = flags[at : at + n]
        there = Arith(part.own.sum(axis=0), part.next.sum(axis=0)).scale(-1)
        missing.append(there.shift(ctx.me, n - held.least))
        at += n
    return (yield from sign(ctx.at("few"), stack(missing)))


def _dominated(ctx: Context, node: Release, groups: Relation) -> Steps[Bits]:
    """Return a plane that is set where one or two persons have too much of some sum."""
    flags = [groups.sums[name] for name in node.input.dominated]
    if not flags:
        return no_bits(groups.n)
    any_of = flags[0]
    for flag in flags[1:]:
        any_of = any_of + flag
    return (yield from sign(ctx, stack([any_of.scale(-1)])))


def _owned(ctx: Context, node: Release, groups: Relation) -> Steps[Bits]:
    """Return planes of which one is set where a member has too much of some sum."""
    dominance = node.input.dominance
    if dominance is None or not dominance.owned:
        return no_bits(groups.n)
    parts = stack([groups.sums[name] for names in dominance.owned for name in names])
    signs = yield from sign(ctx.at("sign"), parts)
    less = yield from bits_to_arith(ctx.at("less"), signs, groups.n)
    below = yield from multiply(ctx.at("below"), less, parts)
    sizes, at, left = parts - below.scale(2), 0, []
    for names in dominance.owned:
        mine = sizes[at : at + len(names)]
        whole = Arith(mine.own.sum(axis=0), mine.next.sum(axis=0)).scale(dominance.top_two)
        left += [whole - mine[i].scale(100) for i in range(len(names))]
        at += len(names)
    return (yield from sign(ctx.at("broken"), stack(left)))


def _too_few(ctx: Context, node: Release, groups: Relation) -> Steps[Bits]:
    """Return planes of which one is set in each group that has too few persons somewhere."""
    counts = [groups.sums[name] for name in node.input.counts]
    classes = range(len(node.input.persons))
    if not counts:
        return same_bit(ctx.me, 0, groups.n)
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


def more_pass(
    ctx: Context, node: Release, limit: int, groups: Relation, passing: Bits
) -> Steps[Arith]:
    """Return 1 if more than `limit` groups, or rows where these are repeated, pass; else 0."""
    flags = yield from bits_to_arith(ctx.at("flags"), passing, groups.n)
    if node.repeated is not None:
        counts = stack([groups.sums[node.repeated]])
        flags = yield from multiply(ctx.at("rows"), flags, counts)
    total = Arith(flags.own.sum(axis=1), flags.next.sum(axis=1))
    left = total.scale(-1).shift(ctx.me, limit)
    over = yield from sign(ctx.at("over"), left.reshape(1, 1))
    one = yield from bits_to_arith(ctx.at("one"), over, 1)
    return one[0]
