"""What follows from how often each value occurs in each group: extremes, distincts, quantiles.

Rule: whole columns at once, and the columns that a plan on shares would open. A value is its
code, whose order is the order of the values.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanroom.plan.grouping import Distinct, Extreme, Quantile
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.schema import schema_of

I64: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = dict[str, NDArray[Any]]


def values_of(node: Aggregate, histograms: Mapping[str, I64]) -> Columns:
    """Return the columns of an aggregation's extremes, distincts and quantiles.

    Args:
        histograms: bits column -> how often each code occurs, shape (groups, codes).
    """
    below, found = schema_of(node.input), Columns()
    for extreme in node.extremes:
        found.update(_extreme(extreme, histograms[extreme.column]))
    for one in node.distincts:
        low = below.bits_column(one.column).low
        found[one.name] = _distinct(one, histograms[one.column], low)
    for quantile in node.quantiles:
        low = below.bits_column(quantile.column).low
        found.update(_quantile(quantile, histograms[quantile.column], low))
    return found


def _extreme(extreme: Extreme, counts: I64) -> Columns:
    there = counts > 0
    codes = there.argmax(axis=1)
    if extreme.kind == "max":
        codes = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return _nullable(extreme.name, codes, there.max(axis=1))


def _distinct(one: Distinct, counts: I64, low: int) -> I64:
    there: NDArray[np.bool_] = counts > 0
    values = np.arange(low, low + counts.shape[1], dtype=np.int64)
    if one.kind == "count":
        values = np.ones_like(values)
    found: I64 = np.where(there, values, 0).sum(axis=1, dtype=np.int64)
    return found


def _quantile(quantile: Quantile, counts: I64, low: int) -> Columns:
    up_to = counts.cumsum(axis=1)
    n = up_to[:, -1]
    if quantile.kind == "middle":
        both = _ranked(up_to, (n + 1) // 2) + _ranked(up_to, n // 2 + 1)
        return {quantile.name: np.where(n > 0, 2 * low + both, 0)}
    ranks = -(-n * quantile.numerator // quantile.denominator)
    return _nullable(quantile.name, _ranked(up_to, np.maximum(ranks, 1)), n > 0)


def _ranked(up_to: I64, ranks: I64) -> I64:
    """Return the code at a rank, from 1, of each group; any code where there are fewer values."""
    found: I64 = (up_to >= ranks[:, None]).argmax(axis=1).astype(np.int64)
    return found


def _nullable(name: str, codes: NDArray[Any], known: NDArray[np.bool_]) -> Columns:
    """Return a bits column as leaf SQL names its parts: all zero where it is NULL."""
    return {f"{name}_0": np.where(known, codes, 0).astype(np.uint64), f"{name}_null": ~known}
