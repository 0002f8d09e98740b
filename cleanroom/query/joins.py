"""Join order, and the bounds on joined rows that follow from those of the sources.

Rule: a join whose right keys are pairwise distinct needs no room for extra rows, so the order
is chosen to have as many of those as possible.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.nodes import Join as JoinNode
from cleanroom.plan.nodes import JoinKind, Leaf, Node, Unify, Union
from cleanroom.query.sizes import Size


@dataclass(frozen=True, slots=True)
class Step:
    """Join one source to what came before: `unify` as in Size, `bound` as in plan.Join."""

    source: int
    keys: tuple[str, ...]
    unify: bool
    bound: int | None


@dataclass(frozen=True, slots=True)
class Order:
    """A left-deep order; `rows` bounds the joined rows behind the result, `slots` its own."""

    first: int
    steps: tuple[Step, ...]
    rows: int
    cost: tuple[int, int]
    slots: int


def choose_order(found: tuple[Size, ...], among: tuple[int, ...]) -> Order:
    """Choose the order with the fewest joins of non-unique keys, then the fewest rows.

    Raises:
        UnsupportedQuery: if some table isn't joined with the others.
    """
    starts = [i for i in among if not found[i].is_single] or among
    return min((_from(found, among, first) for first in starts), key=lambda o: o.cost)


def _from(found: tuple[Size, ...], among: tuple[int, ...], first: int) -> Order:
    size = found[first]
    available, left = set(size.keys), [i for i in among if i != first]
    rows = size.rows * size.members
    leaf_rows = size.leaf_rows * size.members
    steps: list[Step] = []
    loose, total = 0, leaf_rows
    while left:
        alone = size if not steps else None
        options = sorted(_options(found, left, available, alone, leaf_rows))
        if not options:
            raise UnsupportedQuery("tables without an equality that joins them; no cross joins")
        *_, source = options[0]
        step = _step(found[source], source, available, alone, leaf_rows)
        steps.append(step)
        loose += step.bound is not None
        keys = frozenset(step.keys)
        behind = found[source].rows * found[source].members
        before = rows
        rows = before * found[source].fan(keys)
        if alone is not None:
            rows = min(rows, behind * alone.fan(keys))
        leaf_rows = step.bound or leaf_rows
        total += leaf_rows + found[source].leaf_rows * found[source].members
        available |= found[source].keys
        left.remove(source)
    return Order(first, tuple(steps), rows, (loose, total), leaf_rows)


def _options(
    found: tuple[Size, ...], left: list[int], available: set[str], alone: Size | None, rows: int
) -> Iterator[tuple[bool, int, int]]:
    for source in left:
        if found[source].keys & available or found[source].is_single:
            step = _step(found[source], source, available, alone, rows)
            yield step.bound is not None, step.bound or found[source].leaf_rows, source


def _step(right: Size, source: int, available: set[str], left: Size | None, rows: int) -> Step:
    keys = frozenset(right.keys & available)
    names = tuple(sorted(keys, key=lambda name: int(name[1:])))
    unify = right.unify(keys)
    if unify is not None:
        return Step(source, names, unify, None)
    right_rows = right.leaf_rows * right.members
    guess = 1 << (2 * (rows + right_rows) - 1).bit_length()
    limits = [rows * right.leaf_fan(keys)]
    proven = [rows * right.leaf_fan(keys)] if right.fan_is_proven(keys) else []
    if left is not None:
        limits.append(right_rows * left.leaf_fan(keys))
        if left.fan_is_proven(keys):
            proven.append(right_rows * left.leaf_fan(keys))
    return Step(source, names, False, min(proven) if proven else min(*limits, guess))


def join_tree(order: Order, nodes: Mapping[int, Node]) -> Node:
    """Build the joins over the sources' nodes."""
    tree = nodes[order.first]
    for step in order.steps:
        right = Unify(nodes[step.source]) if step.unify else nodes[step.source]
        kind: JoinKind = "inner" if step.keys else "one"
        tree = JoinNode(tree, right, step.keys, step.keys, step.bound, kind)
    return tree


def first_keys(order: Order) -> dict[int, tuple[str, ...]]:
    """Return, for each source, the keys by which it is joined first."""
    keys = {step.source: step.keys for step in order.steps}
    return {order.first: order.steps[0].keys if order.steps else (), **keys}


def source_node(leaves: tuple[Leaf, ...]) -> Node:
    return leaves[0] if len(leaves) == 1 else Union(leaves)
