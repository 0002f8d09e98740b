"""All dot products of two matrices of short integers, exact though in floating point.

Numbers mod 2^w are taken between -2^(w-1) and 2^(w-1), so that the sums of their products stay
below what a float holds exactly: then the fastest matrix product there is computes mod 2^w.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.short import Short, Small

Floats: TypeAlias = NDArray[np.floating[Any]]
_EXACT = ((24, np.float32, np.int32), (53, np.float64, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One side of the products: this party's halves, as floats, shape (2 d, n)."""

    values: Floats = field(repr=False)
    kind: np.dtype[Any]

    def columns(self, start: int, stop: int) -> "Factor":
        return Factor(self.values[:, start:stop], self.kind)


def left_factor(x: Short) -> Factor:
    """Prepare (d, m) numbers whose columns meet those of a right factor."""
    return _factor(x.own, x.next)


def right_factor(y: Short) -> Factor:
    """Prepare (d, n) numbers: a party multiplies x_i by y_i + y_{i+1} and x_{i+1} by y_i."""
    return _factor(y.own + y.next, y.own)


def products(x: Factor, y: Factor) -> Small:
    """Return an additive share of all dot products, (m, n). It isn't masked and may not be sent."""
    _, _, whole = _exactly(x.values.shape[0], x.kind)
    summed = x.values.T @ y.values
    return summed.astype(whole).astype(x.kind)


def _factor(first: Small, second: Small) -> Factor:
    both = np.concatenate([first, second])
    _, real, _ = _exactly(both.shape[0], both.dtype)
    return Factor(both.view(f"i{both.itemsize}").astype(real), both.dtype)


def _exactly(terms: int, kind: np.dtype[Any]) -> tuple[int, Any, Any]:
    """Return the first kind of floats that holds so many products exactly."""
    bits = 2 * (8 * kind.itemsize - 1) + (terms - 1).bit_length()
    for exact in _EXACT:
        if bits <= exact[0]:
            return exact
    raise ValueError(f"sums of {terms} products don't fit a float")
