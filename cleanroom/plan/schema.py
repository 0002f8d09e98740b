"""Which columns a node of a plan has. Pure bookkeeping that every executor needs."""

from dataclasses import dataclass, replace

from cleanroom.plan.graphs import Propagate
from cleanroom.plan.leaf import BitsColumn, Leaf, SumColumn
from cleanroom.plan.linking import ID, LEFT, RIGHT, RUNG, Linkage
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

LARGEST = (1 << 62) - 1


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a node, in order."""

    bits: tuple[BitsColumn, ...]
    sums: tuple[SumColumn, ...]

    def bits_column(self, name: str) -> BitsColumn:
        return next(column for column in self.bits if column.name == name)


def schema_of(node: Node) -> Schema:
    """Return the columns of a node's result."""
    match node:
        case Leaf():
            return Schema(node.bits, node.sums)
        case Union(inputs):
            return schema_of(inputs[0])
        case Unify(child) | Filter(child, _):
            return schema_of(child)
        case Derive() | Compute():
            return _made(node)
        case Join(left_node) if node.kind in ("anti", "not in"):
            return schema_of(left_node)
        case Join():
            left, right = schema_of(node.left), schema_of(node.right)
            rest = tuple(c for c in right.bits if c.name not in node.right_on)
            return Schema(left.bits + rest, left.sums + right.sums)
        case Aggregate():
            return _aggregate(node)
        case Window() | Linkage():
            return _window(node) if isinstance(node, Window) else _linkage(node)
        case Propagate(own):
            shown = schema_of(own).bits_column(node.shown)
            return Schema((shown,), own.sums[:-1])  # without places


def _made(node: Derive | Compute) -> Schema:
    derived = tuple(SumColumn(d.name, d.bound) for d in node.sums)
    if isinstance(node, Derive):
        return Schema(schema_of(node.input).bits, derived)
    return Schema(tuple(computed.column for computed in node.bits), derived)


def _window(node: Window) -> Schema:
    below = schema_of(node.input)
    shifted = tuple(
        replace(below.bits_column(one.column), name=one.name, nullable=True)
        for one in node.neighbours
    )
    numbers = tuple(SumColumn(one.name, one.bound) for one in node.numberings)
    totals = tuple(SumColumn(one.name, one.bound) for one in node.totals)
    return Schema(below.bits + shifted, below.sums + numbers + totals)


def _linkage(node: Linkage) -> Schema:
    sides = (LEFT, node.left), (RIGHT, node.right)
    found = (replace(schema_of(side).bits_column(ID), name=name) for name, side in sides)
    return Schema((*found, BitsColumn(RUNG, node.rungs.bit_length())), ())


def both_sides(node: Join) -> Schema:
    """Return the columns of both sides of a join, keys of both among them."""
    left, right = schema_of(node.left), schema_of(node.right)
    return Schema(left.bits + right.bits, left.sums + right.sums)


def is_certain(node: Node) -> bool:
    """Whether the only row of an aggregation without keys is always there."""
    match node:
        case Compute(child, where):
            return where is None and is_certain(child)
        case Aggregate():
            return not node.keys
    return False


def _aggregate(node: Aggregate) -> Schema:
    below = schema_of(node.input)
    keys = tuple(below.bits_column(name) for name in (*node.keys, *node.carried))
    found = [(x.column, x.name) for x in node.extremes]
    found += [(q.column, q.name) for q in node.quantiles if q.kind == "at"]
    values = tuple(
        replace(below.bits_column(column), name=name, nullable=True) for column, name in found
    )
    persons = tuple(SumColumn(name, 1 << 31) for name in (*node.counts, *node.dominated))
    further = tuple(SumColumn(d.name, d.bound) for d in node.distincts)
    middles = tuple(SumColumn(q.name, q.bound) for q in node.quantiles if q.kind == "middle")
    fitted = tuple(SumColumn(name, LARGEST) for name in (node.fit.results if node.fit else ()))
    named = {column.name: column for column in below.sums}
    totals = tuple(named[name] for name in node.sums)
    return Schema(keys + values, totals + persons + further + middles + fitted)
