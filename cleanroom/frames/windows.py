"""Values along rows: `row_number().over("id", order_by="day")`, `col("day").shift(1).over(...)`.

Rule: a window is a column of a subquery, so that what follows may use it anywhere.
"""

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery

_HOW = "Write .over(...) after count(), .sum(), .shift(), row_number() or rank()."
ALONG = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead)
KINDS = (*ALONG, exp.Count, exp.Sum)


def over(tree: exp.Expr, partition: list[exp.Expr], order: list[exp.Ordered]) -> exp.Window:
    """Let a function look along the rows of a partition, in an order.

    Raises:
        UnsupportedQuery: for a function that looks along no rows.
    """
    if not isinstance(tree, KINDS):
        raise UnsupportedQuery("over() of anything but a function of rows", remedy=_HOW)
    window = exp.Window(this=tree, partition_by=partition, over="OVER")
    if order:
        window.set("order", exp.Order(expressions=order))
    return window


def has_window(tree: exp.Expr) -> bool:
    return tree.find(exp.Window) is not None


def without_windows(tree: exp.Expr) -> exp.Expr:
    """Put what a window is about in its place: a value of the same kind."""

    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Window):
            if isinstance(node, ALONG):
                raise UnsupportedQuery("a function along rows without over()", remedy=_HOW)
            return node
        of = node.this.args.get("this")
        counts = of is None or isinstance(node.this, exp.Count)
        return exp.Literal.number(1) if counts else of.copy()

    return tree.transform(change)
