"""What runs on secret shares below the last aggregation, one line a step, for the sheet."""

from collections.abc import Iterator

from cleanroom.plan.leaf import Leaf
from cleanroom.plan.linking import BLOCK, Linkage
from cleanroom.plan.nodes import Aggregate, Compute, Filter, Join, Node, Unify, Union, Window
from cleanroom.plan.ordering import OrderBy
from cleanroom.plan.plan import children
from cleanroom.plan.schema import schema_of


def steps(node: Node, numbers: Iterator[int]) -> Iterator[str]:
    """Describe a node and all below it.

    Args:
        numbers: the places of its leaves in the plan.
    """
    if isinstance(node, Leaf):
        next(numbers)
    elif isinstance(node, Union) and all(isinstance(child, Leaf) for child in node.inputs):
        leaves = [str(next(numbers)) for _ in node.inputs]
        yield f"union of [{'], ['.join(leaves)}]"
    else:
        for child in children(node):
            yield from steps(child, numbers)
        yield from _own(node)


def directed(by: OrderBy) -> str:
    return f"{by.column} {'descending' if by.descending else 'ascending'}"


def carried(node: Aggregate) -> str:
    return f", which {', '.join(node.carried)} follow from" if node.carried else ""


def _own(node: Node) -> Iterator[str]:
    match node:
        case Union(inputs):
            yield f"union of these {len(inputs)} results"
        case Unify():
            yield "add up rows with equal keys"
        case Join():
            yield _join(node)
        case Filter():
            yield "mark the rows where the condition between owners is true"
        case Compute(_, where, made, sums):
            if where is not None:
                yield "keep the inner rows where WHERE is true"
            names = (*(one.column.name for one in made), *(one.name for one in sums))
            yield f"of each inner row make {', '.join(names)}"
        case Aggregate():
            yield f"inner groups by ({', '.join(node.keys)}){carried(node)}, never opened"
        case Linkage():
            yield from _linkage(node)
        case Window():
            order = ", ".join(map(directed, node.order)) or "of owners and rows"
            yield f"in partitions by ({', '.join(node.partition)}), in order ({order}),"
            yield f"    never opened, find {', '.join(_found(node))}"


def _join(node: Join) -> str:
    if node.kind == "one":
        return "give every row the only one of the inner aggregation"
    room = "the left rows" if node.bound is None else f"at most {node.bound} rows"
    left = schema_of(node.left)
    widths = sum(left.bits_column(name).bits for name in node.left_on)
    how = "join" if node.kind == "inner" else f"{node.kind} join"
    also = " and a condition" if node.also is not None else ""
    return f"{how} on ({', '.join(node.left_on)}), {widths} bits{also}, into {room}"


def _linkage(node: Linkage) -> Iterator[str]:
    what = f"link persons of {node.left.member} and {node.right.member} ({node.name}), one to one"
    yield f"{what}, by {', then '.join(node.keys)}; never opened"
    if node.similar is not None:
        fields = ", ".join(one.column for one in node.similar.likenesses)
        window = node.similar.window
        near = "" if window is None else f", each with the next {window} in order of {BLOCK},"
        most = f"{node.similar.max_left} of either side at most"
        yield f"    then those left, {most}{near} if alike in"
        yield f"    ({fields}) by {node.similar.threshold / 10:g} or more, and nobody else is more"


def _found(node: Window) -> Iterator[str]:
    for one in node.numberings:
        yield f"{one.name} = {one.kind}"
    for shifted in node.neighbours:
        how = "before" if shifted.distance > 0 else "after"
        yield f"{shifted.name} = {shifted.column} of {abs(shifted.distance)} row(s) {how}"
    for total in node.totals:
        yield f"{total.name} = {total.kind}({total.column or '*'})"
