"""INSECURE: distinct values and quantiles of one group of plain rows, by the shortest code."""

from collections.abc import Sequence

from cleanroom.plan.grouping import Distinct, Quantile
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.plaintext_rows import Row
from cleanroom.plan.schema import schema_of


def statistics(node: Aggregate, group: Sequence[Row]) -> Row:
    """Return the columns of `distincts` and `quantiles` for a group."""
    below = schema_of(node.input)
    found: Row = {}
    for one in node.distincts:
        found[one.name] = _distinct(one, group, below.bits_column(one.column).low)
    for quantile in node.quantiles:
        found[quantile.name] = _quantile(quantile, group, below.bits_column(quantile.column).low)
    return found


def _distinct(one: Distinct, group: Sequence[Row], low: int) -> int:
    values = {value for row in group if (value := row[one.column]) is not None}
    total = len(values) if one.kind == "count" else sum(low + value for value in values)
    if abs(total) > one.bound:
        raise AssertionError(f"{one.name} exceeds its bound")
    return total


def _quantile(quantile: Quantile, group: Sequence[Row], low: int) -> int | None:
    values = sorted(
        value
        for row in group
        if (value := row[quantile.column]) is not None
        for _ in range(row[quantile.weight] or 0)
    )
    n = len(values)
    if quantile.kind == "middle":
        return 2 * low + values[(n - 1) // 2] + values[n // 2] if n else 0
    rank = -(-n * quantile.numerator // quantile.denominator)
    return values[max(rank, 1) - 1] if n else None
