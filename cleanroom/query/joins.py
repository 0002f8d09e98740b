"""Join order, and the bounds on joined rows that follow from those of the sources.

Rule: orders are left-deep and compared by public bounds alone: first by how many joins may fail
at a bound that the contract doesn't prove, then by estimated cost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.cost import work_of_join
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.nodes import Join as JoinNode
from cleanroom.plan.nodes import JoinKind, Node, Unify, Union
from cleanroom.query.sizes import Size

Sizes = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Join one source to what came before.

    Attributes:
        unify, bound: as in Size and plan.Join.
        proven: the contract proves that no more rows than `bound` come out.
    """

    source: int
    keys: tuple[str, ...]
    unify: bool
    bound: int | None
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """A left-deep order of some sources.

    Attributes:
        available: columns by which a further source can be joined.
        by: columns in whose order the rows come; None: that of any key.
        rows: bounds the joined rows behind the result, `slots` its own, `width` one's bits.
        cost: joins that may fail at their bound, then bits, a round counted as what it delays.
    """

    first: int
    steps: tuple[Step, ...]
    available: frozenset[str]
    by: tuple[str, ...] | None
    rows: int
    slots: int
    width: int
    cost: tuple[int, int] = (0, 0)

    @property
    def guesses(self) -> int:
        """How many joins may fail at their bound."""
        return self.cost[0]

    @property
    def sources(self) -> frozenset[int]:
        return frozenset((self.first, *(step.source for step in self.steps)))


def choose_order(found: Sizes, among: tuple[int, ...], most: int | None = None) -> Order:
    """Choose the cheapest left-deep order, keeping only the cheapest of each set of sources.

    Args:
        most: rows that one join may have, as agreed for this text.

    Raises:
        UnsupportedQuery: if some table isn't joined with the others.
    """
    starts = [i for i in among if not found[i].is_single] or among
    orders = [_start(found[i], i) for i in starts]
    for _ in among[1:]:
        cheapest: dict[frozenset[int], Order] = {}
        for order in orders:
            for longer in _longer(found, among, order, most):
                best = cheapest.setdefault(longer.sources, longer)
                if longer.cost < best.cost:
                    cheapest[longer.sources] = longer
        orders = list(cheapest.values())
    if not orders:
        raise UnsupportedQuery("tables without an equality that joins them; no cross joins")
    return min(orders, key=lambda order: order.cost)


def _start(size: Size, source: int) -> Order:
    rows, slots = size.rows * size.members, size.leaf_rows * size.members
    return Order(source, (), size.keys, None, rows, slots, size.width)


def _longer(
    found: Sizes, among: tuple[int, ...], order: Order, most: int | None
) -> Iterator[Order]:
    for source in sorted(set(among) - order.sources):
        if found[source].keys & order.available or found[source].is_single:
            yield _joined(found, order, source, most)


def _joined(found: Sizes, order: Order, source: int, most: int | None) -> Order:
    right, alone = found[source], None if order.steps else found[order.first]
    step = _step(right, source, order.available, alone, order.slots)
    if most is not None and step.bound is not None and step.bound > most:
        step = replace(step, bound=most, proven=False)
    keys = frozenset(step.keys)
    rows = order.rows * right.fan(keys)
    if alone is not None:
        rows = min(rows, right.rows * right.members * alone.fan(keys))
    slots, width = step.bound or order.slots, order.width + right.width
    bits = sum(b.column.bits + b.column.nullable for b in right.bits if b.column.name in keys)
    parts = order.slots, right.leaf_rows * right.members, slots
    work = work_of_join(*parts, bits, width, sort=order.by not in (None, step.keys))
    guesses, before = order.cost
    return Order(
        order.first,
        (*order.steps, step),
        order.available | right.keys,
        step.keys if step.keys else order.by,
        rows,
        slots,
        width,
        (guesses + (not step.proven), before + work),
    )


def _step(
    right: Size, source: int, available: frozenset[str], left: Size | None, rows: int
) -> Step:
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
    bound = min(proven) if proven else min(*limits, guess)
    return Step(source, names, False, bound, bool(proven) or bound == min(limits))


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
