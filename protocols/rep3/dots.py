"""Dot products of short integers: of all pairs, or of those near each other."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.short import Short, Small

U16: TypeAlias = NDArray[np.uint16]
_TERMS = 8  # rows that the kernel takes at once


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One side of the products: this party's halves, (2 d, n), with rows of zeros below."""

    values: U16 = field(repr=False)
    kind: np.dtype[Any]

    def columns(self, start: int, stop: int) -> "Factor":
        return Factor(np.ascontiguousarray(self.values[:, start:stop]), self.kind)


def left_factor(x: Short) -> Factor:
    """Prepare (d, m) numbers whose columns meet those of a right factor."""
    return _factor(x.own, x.next)


def right_factor(y: Short) -> Factor:
    """Prepare (d, n) numbers: a party multiplies x_i by y_i + y_{i+1} and x_{i+1} by y_i."""
    return _factor(y.own + y.next, y.own)


def products(x: Factor, y: Factor) -> Small:
    """Return an additive share of all dot products, (m, n). It isn't masked and may not be sent."""
    from protocols.rep3 import short_kernels

    sums = np.zeros((x.values.shape[1], y.values.shape[1]), dtype=np.uint16)
    short_kernels.add_products(x.values, y.values, sums)
    return sums.astype(x.kind, copy=False)


def near_products(x: Factor, y: Factor, window: int) -> Small:
    """Return an additive share of the products of x's n columns and the next ones of y.

    Args:
        y: n + window columns or more.

    Returns:
        shape (window, n): [i, j] of x_j and y_{j + 1 + i}. It isn't masked and may not be sent.
    """
    from protocols.rep3 import short_kernels

    sums = np.zeros((window, x.values.shape[1]), dtype=np.uint16)
    short_kernels.add_near_products(x.values, y.values, sums)
    return sums.astype(x.kind, copy=False)


def _factor(first: Small, second: Small) -> Factor:
    d, n = first.shape
    values = np.zeros((-(-2 * d // _TERMS) * _TERMS, n), dtype=np.uint16)
    values[:d], values[d : 2 * d] = first, second
    return Factor(values, first.dtype)
