"""What a node of a plan costs on shares, with all below it, from bounds alone."""

from cleanroom.plan.cost_of_linkage import of_linkage
from cleanroom.plan.cost_of_propagation import of_propagation
from cleanroom.plan.cost_of_rows import (
    bits_of,
    merged,
    of_predicate,
    of_term,
    padded,
    sorted_anew,
    width_of,
)
from cleanroom.plan.graphs import Propagate
from cleanroom.plan.grouping import Fit
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
from cleanroom.plan.plan import children
from cleanroom.plan.schema import Schema, both_sides, schema_of


def cost_of_node(node: Node) -> tuple[int, int, int]:
    """Return rows, bits and rounds of a node and all below."""
    width = width_of(schema_of(node))
    match node:
        case Leaf():
            rows = padded(node.max_rows)
            return rows, 2 * rows * width, 1
        case Union(inputs):
            parts = [cost_of_node(child) for child in inputs]
            return sum(p[0] for p in parts), sum(p[1] for p in parts), max(p[2] for p in parts)
        case Unify(child):
            return _along(child, tuple(c.name for c in schema_of(child).bits))
        case Join():
            return _join(node, width)
        case Filter(child) | Derive(child) | Compute(child):
            rows, bits, rounds = cost_of_node(child)
            more, further = _of_a_row(node, schema_of(child))
            return rows, bits + rows * more, rounds + further
        case Aggregate(child):
            return _aggregate(node, child)
        case Window(child):
            return _window(node, child)
        case Linkage():
            sides = [cost_of_node(side) for side in (node.left, node.right)]
            rows, bits, rounds = of_linkage(node, sides[0][0], sides[1][0])
            return rows, bits + sum(side[1] for side in sides), rounds + 1
        case Propagate(own):
            shared = [cost_of_node(leaf) for leaf in children(node)]
            sizes = [rows for rows, _, _ in shared]
            payments = sum(sizes[-len(node.payments) :])
            bits, rounds = of_propagation(node, sum(sizes) - payments, payments)
            return padded(own.max_rows), bits + sum(part[1] for part in shared), rounds + 1


def _of_a_row(node: Filter | Derive | Compute, below: Schema) -> tuple[int, int]:
    """Return the bits that a node costs for each row, and its rounds."""
    match node:
        case Filter(_, predicate):
            return of_predicate(predicate, below), 9
        case Derive(_, sums):
            return sum(of_term(t, below) for d in sums for t in d.terms), 4
        case Compute(_, _, made, sums):
            work = sum(64 * (len(t.factors) + 2) for d in sums for t in d.terms)
            return work + sum(0 if isinstance(c.of, str) else 500 for c in made), 25


def _aggregate(node: Aggregate, child: Node) -> tuple[int, int, int]:
    if isinstance(child, Propagate):
        return cost_of_node(child)
    schema = schema_of(child)
    keys = bits_of(schema, node.keys)
    rows, bits, rounds = _along(child, node.keys) if node.keys else cost_of_node(child)
    once = dict.fromkeys((*node.persons, *((d.column,) for d in node.distincts)))
    once |= dict.fromkeys((q.column,) for q in node.quantiles)
    for columns in once:
        more, further = sorted_anew(rows, keys + bits_of(schema, columns), 64)
        bits, rounds = bits + more, rounds + further
    sums = len(node.dominated)
    bits, rounds = bits + 1250 * rows * sums, rounds + (50 if sums else 0)
    if node.fit is not None:
        more, further = _fit(node.fit, rows)
        bits, rounds = bits + more, rounds + further
    for extreme in node.extremes:
        bits += 4 * rows * schema.bits_column(extreme.column).bits * max(rows.bit_length(), 1)
        rounds += 8 * rows.bit_length()
    return rows, bits, rounds


def _fit(fit: Fit, rows: int) -> tuple[int, int]:
    """Return bits and rounds of a regression; those of setting up don't grow with the rows."""
    setup, features = 40_000 * len(fit.features), 128 * rows * (len(fit.features) + 2)
    if fit.kind == "linear":
        return features + setup, 125 + 4 * fit.iterations
    return features + setup + 1600 * rows * fit.iterations, 127 + 18 * fit.iterations


def _window(node: Window, child: Node) -> tuple[int, int, int]:
    schema = schema_of(child)
    names = dict.fromkeys((*node.partition, *(by.column for by in node.order)))
    rows, bits, rounds = _along(child, tuple(names))
    added = 650 * (len(node.numberings) + len(node.totals))
    added += sum(schema.bits_column(one.column).bits + 1 for one in node.neighbours)
    return rows, bits + rows * added, rounds


def _join(node: Join, width: int) -> tuple[int, int, int]:
    if node.kind == "one":
        left, right = cost_of_node(node.left), cost_of_node(node.right)
        return left[0], left[1] + right[1] + left[0], max(left[2], right[2]) + 1
    left, right = _in_order(node.left, node.left_on), _in_order(node.right, node.right_on)
    keys = bits_of(schema_of(node.left), node.left_on)
    bits, rounds = merged(left[0] + right[0], keys, width)
    n = left[0] if node.bound is None else padded(node.bound)
    bits += 4 * n * width
    if node.also is not None:
        bits += n * (of_predicate(node.also, both_sides(node)) + width)
    if node.kind == "full":
        n, bits, rounds = n + right[0], 2 * bits + 4 * right[0] * keys, 2 * rounds
    return n, left[1] + right[1] + bits, max(left[2], right[2]) + rounds


def _along(node: Node, by: tuple[str, ...]) -> tuple[int, int, int]:
    """Return what a node costs in an order, and a running sum or comparison along its rows."""
    rows, bits, rounds = _in_order(node, by)
    return rows, bits + 200 * rows, rounds + 15


def _in_order(node: Node, by: tuple[str, ...]) -> tuple[int, int, int]:
    """Return what a node costs if its rows are brought into the order of `by`."""
    schema, (rows, below, before) = schema_of(node), cost_of_node(node)
    if _is_ordered(node, by):
        return rows, below, before
    inner = node.input if isinstance(node, Derive) else node
    parts = inner.inputs if isinstance(inner, Union) else ()
    arrange = merged if parts and all(_is_ordered(part, by) for part in parts) else sorted_anew
    bits, rounds = arrange(rows, bits_of(schema, by), width_of(schema))
    return rows, below + bits, before + rounds


def _is_ordered(node: Node, by: tuple[str, ...]) -> bool:
    """Whether a node's rows come in the order of `by` without work."""
    match node:
        case Leaf():
            return node.sorted_by[: len(by)] == by
        case Derive(child):
            return _is_ordered(child, by)
        case Join(left) if node.kind == "one":
            return _is_ordered(left, by)
        case Join() if node.bound is None and node.kind in ("inner", "left", "semi"):
            return node.left_on[: len(by)] == by
        case Aggregate():
            return node.keys[: len(by)] == by
    return False
