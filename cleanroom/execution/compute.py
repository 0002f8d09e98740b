"""Run a plan on shares: one party's steps from contributions to its share of the result.

Rule: this maps plan nodes to operators of `protocols.rep3`; it computes nothing itself.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cleanroom import errors
from cleanroom.execution.computed import computed
from cleanroom.execution.contribute import Contribution, receive
from cleanroom.execution.fitting import fitted
from cleanroom.execution.grouping import add_middles, grouping_of
from cleanroom.execution.linking import all_linked
from cleanroom.execution.noise import release_noisy, with_cell_groups, with_cell_rows
from cleanroom.execution.numbers import holds, of_terms, with_numbers
from cleanroom.execution.outcome import Outcome
from cleanroom.execution.propagation import propagated
from cleanroom.execution.release import release
from cleanroom.execution.terms import derive
from cleanroom.execution.windowing import over
from cleanroom.plan.controls import Dominance
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import Linkage
from cleanroom.plan.nodes import (
    Aggregate,
    Compute,
    Derive,
    Filter,
    Join,
    Node,
    Unify,
    Union,
    Window,
)
from cleanroom.plan.plan import Plan, children, count_leaves, leaves_of
from cleanroom.plan.schema import both_sides, is_certain, schema_of
from protocols.context import Context
from protocols.dp.words import Words
from protocols.randomness import KEY_BYTES
from protocols.rep3 import outer
from protocols.rep3.and_bits import and_bits
from protocols.rep3.bound import BoundExceeded
from protocols.rep3.cross import with_row
from protocols.rep3.dominance import Limits
from protocols.rep3.expand import join_bounded
from protocols.rep3.group import Grouping, cleaned, group
from protocols.rep3.inputs import InputInconsistent, check_copies
from protocols.rep3.join import join_unique, matched
from protocols.rep3.order import is_ordered, merge_all, order
from protocols.rep3.relation import Relation, union
from protocols.rep3.share import Arith
from protocols.rep3.support import NOBODY, Largest, Wanted, supports
from protocols.rounds import Steps, parallel

Leaves = Mapping[int | Linkage, Relation]  # by their place; linkages, found before all else


def compute(
    ctx: Context,
    plan: Plan,
    contributions: Mapping[int, Contribution],
    words: Words | None = None,
) -> Steps[Outcome]:
    """Run one computing party's side of a plan.

    Args:
        contributions: one for each place in `plan.leaves`.
        words: what this party's noise is drawn from, if the plan is noisy: its own alone.

    Returns:
        This party's share of what the recipient opens; useless without another party's.

    Raises:
        MessageInvalid: if a contribution isn't of its leaf's size.
        JoinTooLarge: if a join has more rows than its public bound; nothing else was opened.
        PeerMisbehaved: if copies of a share or of an opening differ.
    """
    leaves = {i: receive(ctx.me, leaf, contributions[i]) for i, leaf in enumerate(plan.leaves)}
    try:
        yield from check_copies(ctx.at("copies"), list(leaves.values()))
        linked = yield from all_linked(ctx.at("linkages"), plan, leaves)
        below: Leaves = dict([*leaves.items(), *linked.items()])
        groups = yield from _aggregate(ctx.at("plan"), plan.root.input, below, 0)
    except BoundExceeded as error:
        raise errors.JoinTooLarge(str(error)) from None
    except InputInconsistent as error:
        owners = ", ".join(sorted({plan.leaves[i].member for i in error.inputs}))
        raise errors.PeerMisbehaved("shares of its rows are inconsistent", party=owners) from None
    if plan.noise is None:
        return (yield from release(ctx.at("release"), plan.root, groups))
    drawn = words or Words(secrets.token_bytes(KEY_BYTES))
    return (yield from release_noisy(ctx.at("release"), plan.root, groups, plan.noise, drawn))


def _run(ctx: Context, node: Node, leaves: Leaves, first: int) -> Steps[Relation]:
    """Compute a node whose leaves start at place `first` of the plan's leaves."""
    match node:
        case Leaf() | Linkage():
            return leaves[first if isinstance(node, Leaf) else node]
        case Union(inputs):
            parts = yield from _parts(ctx, inputs, leaves, first)
            relation = parts[0]
            for part in parts[1:]:
                relation = union(relation, part)
            return relation
        case Unify():
            relation = yield from _unify(ctx, node, leaves, first)
            return relation
        case Join():
            relation = yield from _join(ctx, node, leaves, first)
            return relation
        case Filter(child) | Derive(child) | Compute(child):
            relation = yield from _run(ctx.at("of"), child, leaves, first)
            return (yield from _row_by_row(ctx, node, relation))
        case Aggregate():
            relation = yield from _aggregate(ctx, node, leaves, first)
            return relation
        case Window(child):
            inputs = child.inputs if isinstance(child, Union) else (child,)
            parts = yield from _parts(ctx.at("of"), inputs, leaves, first)
            return (yield from over(ctx.at("over"), parts, node))
        case Propagate():
            inputs = children(node)
            parts = yield from _parts(ctx.at("of"), inputs, leaves, first)
            return (yield from propagated(ctx.at("along"), node, parts))


def _row_by_row(
    ctx: Context, node: Filter | Derive | Compute, relation: Relation
) -> Steps[Relation]:
    match node:
        case Filter(child, predicate):
            true, _ = yield from holds(ctx.at("where"), relation, schema_of(child), predicate)
            there = yield from and_bits(ctx.at("there"), relation.valid, true)
            return replace(relation, valid=there, clean=False, sorted_by=None)
        case Derive(child, sums):
            factors = of_terms(term for derived in sums for term in derived.terms)
            at, schema = ctx.at("numbers"), schema_of(child)
            wide = yield from with_numbers(at, relation, schema, factors)
            columns = yield from derive(ctx.at("derive"), wide, sums)
            return (yield from cleaned(ctx.at("clean"), replace(relation, sums=columns)))
        case Compute():
            return (yield from computed(ctx.at("compute"), relation, node))


def _parts(
    ctx: Context, inputs: Sequence[Node], leaves: Leaves, first: int
) -> Steps[tuple[Relation, ...]]:
    starts = np.cumsum([first, *(count_leaves(child) for child in inputs)])
    parts = yield from parallel(
        *(
            _run(ctx.at(f"part{i}"), child, leaves, int(start))
            for i, (child, start) in enumerate(zip(inputs, starts, strict=False))
        )
    )
    return parts


def _run_ordered(
    ctx: Context, node: Node, by: tuple[str, ...], leaves: Leaves, first: int
) -> Steps[Relation]:
    """Compute a node in the order of `by`: sorted parts of a union are merged, not sorted."""
    match node:
        case Derive(child):
            relation = yield from _run_ordered(ctx.at("of"), child, by, leaves, first)
            relation = yield from _row_by_row(ctx, node, relation)
        case Union(inputs):
            parts = yield from _parts(ctx.at("of"), inputs, leaves, first)
            if all(is_ordered(part, by) for part in parts):
                return (yield from merge_all(ctx.at("merge"), parts, by))
            relation = parts[0]
            for part in parts[1:]:
                relation = union(relation, part)
        case _:
            relation = yield from _run(ctx.at("of"), node, leaves, first)
    return (yield from order(ctx.at("order"), relation, by))


def _unify(ctx: Context, node: Unify, leaves: Leaves, first: int) -> Steps[Relation]:
    leaf = next(leaves_of(node.input))
    keys = leaf.sorted_by + tuple(c.name for c in leaf.bits if c.name not in leaf.sorted_by)
    relation = yield from _run_ordered(ctx.at("of"), node.input, keys, leaves, first)
    what = Grouping(keys, (), tuple(relation.sums), ())
    unified = yield from group(ctx.at("group"), relation, what)
    return unified


def _join(ctx: Context, node: Join, leaves: Leaves, first: int) -> Steps[Relation]:
    second = first + count_leaves(node.left)
    if node.kind == "one":
        return (yield from _with_one(ctx, node, leaves, first))
    left, right = yield from parallel(
        _run_ordered(ctx.at("left"), node.left, node.left_on, leaves, first),
        _run_ordered(ctx.at("right"), node.right, node.right_on + node.last_by, leaves, second),
    )
    on, at = (node.left_on, node.right_on), ctx.at("join")
    fill = {f.column: f.value for f in node.fill} if node.kind in ("left", "full") else None
    if node.bound is not None:
        joined = yield from join_bounded(at, left, right, *on, node.bound, fill)
    elif node.kind == "inner":
        joined = yield from join_unique(at, left, right, *on)
        return joined
    else:
        joined = yield from _tested(at, node, left, right, fill or {})
    if node.kind == "full":
        joined = yield from outer.add_unmatched(
            ctx.at("alone"), joined, right, left, fill or {}, on
        )
    return joined


def _with_one(ctx: Context, node: Join, leaves: Leaves, first: int) -> Steps[Relation]:
    """Join the only row of an aggregation; rows keep their order where that row is certain."""
    left, right = yield from parallel(
        _run(ctx.at("left"), node.left, leaves, first),
        _run(ctx.at("right"), node.right, leaves, first + count_leaves(node.left)),
    )
    joined = yield from with_row(ctx.at("join"), left, right)
    if is_certain(node.right):
        return replace(joined, clean=left.clean, sorted_by=left.sorted_by)
    return joined


def _tested(
    ctx: Context, node: Join, left: Relation, right: Relation, fill: outer.Fill
) -> Steps[Relation]:
    """Join each left row with the one right row that matters for it, or test that it has one."""
    ordered, found = yield from matched(ctx, left, right, node.left_on, node.right_on)
    if node.also is not None:
        both = outer.semi(ordered, found)
        true, _ = yield from holds(ctx.at("also"), both, both_sides(node), node.also)
        found = yield from outer.only_where(ctx.at("only"), found, true)
    match node.kind:
        case "semi":
            return outer.semi(ordered, found)
        case "anti":
            return outer.anti(ordered, found)
        case "not in":
            (mine,), (theirs,) = node.left_on, node.right_on
            kept = yield from outer.not_in(ctx.at("nulls"), ordered, found, mine, right, theirs)
            return kept
    joined = yield from outer.keep_left(ctx.at("fill"), ordered, found, fill)
    return joined


def _aggregate(ctx: Context, node: Aggregate, leaves: Leaves, first: int) -> Steps[Relation]:
    what = grouping_of(node)
    below = node.input.input if isinstance(node.input, Derive) else node.input
    if what.first_order and isinstance(below, Union):
        relation = yield from _run_ordered(
            ctx.at("of"), node.input, what.first_order, leaves, first
        )
    else:
        relation = yield from _run(ctx.at("of"), node.input, leaves, first)
    if isinstance(node.input, Propagate):  # each account is a group of its own
        return relation
    if node.cells and not node.distincts:
        relation = yield from with_cell_rows(ctx.at("cells"), node, relation)
    if node.persons and what.first_order:  # both below then find it sorted
        relation = yield from order(ctx.at("order"), relation, what.first_order)
    grouped, behind = yield from parallel(
        group(ctx.at("group"), relation, what), _supports(ctx.at("support"), node, relation)
    )
    if node.fit is not None:
        behind |= yield from fitted(ctx.at("fit"), relation, node.fit)
    grouped = replace(grouped, sums={**grouped.sums, **behind})
    if node.cells and node.distincts:
        grouped = yield from with_cell_groups(ctx.at("cells"), node, grouped)
    return (yield from add_middles(ctx.at("middles"), node, grouped))


def _supports(ctx: Context, node: Aggregate, relation: Relation) -> Steps[dict[str, Arith]]:
    if not (node.supported_sums or node.supported_columns or node.dominated):
        return {}
    relation = yield from cleaned(ctx.at("clean"), relation)
    wanted = Wanted(node.supported_sums, node.supported_columns, _largest(node.dominance))
    found = yield from supports(ctx.at("of"), relation, node.keys, node.persons, wanted)
    n = relation.n if node.keys else 64
    return {name: column.padded(n) for name, column in found.items()}


def _largest(dominance: Dominance | None) -> Largest:
    if dominance is None:
        return NOBODY
    limits = Limits(dominance.top_two, dominance.p_percent)
    return Largest(dominance.sums, dominance.signed, limits, dominance.most)
