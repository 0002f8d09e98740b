"""A plan's Window in the words of `protocols.rep3.window`."""

from collections.abc import Sequence

from cleanroom.plan.nodes import Window
from cleanroom.plan.schema import schema_of
from protocols.context import Context
from protocols.rep3 import window
from protocols.rep3.directed import By, order_directed
from protocols.rep3.relation import Relation
from protocols.rounds import Steps


def over(ctx: Context, parts: Sequence[Relation], node: Window) -> Steps[Relation]:
    """Compute a window over the UNION ALL of parts.

    Cost: an `order_directed` and a `windowed`. Security: semi-honest, honest majority; no leakage.
    """
    by = tuple(By(one.column, one.descending, one.nulls_first) for one in node.order)
    by_place = bool(node.neighbours) or any(n.kind == "row_number" for n in node.numberings)
    ordered = yield from order_directed(
        ctx.at("order"), parts, node.partition, by, by_place=by_place
    )
    return (yield from window.windowed(ctx.at("window"), ordered, _window_of(node)))


def _window_of(node: Window) -> window.Window:
    below = schema_of(node.input)
    lows = {column.name: column.low for column in below.bits}
    return window.Window(
        node.partition,
        tuple(by.column for by in node.order),
        tuple(window.Numbering(one.name, one.kind) for one in node.numberings),
        tuple(window.Neighbour(one.name, one.column, one.distance) for one in node.neighbours),
        tuple(
            window.PartitionTotal(one.name, one.kind, one.column, lows.get(one.column or "", 0))
            for one in node.totals
        ),
    )
