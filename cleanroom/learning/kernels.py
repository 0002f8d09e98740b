"""Compiled loops over an owner's matrix: predictors, and weighted products of columns.

Rule: sums of float64 in whatever order is fast, by one thread: several owners on one machine don't
wait for each other's threads. Import this module where a kernel is called, not at the top of a
file: an idle process then never loads the compiler. Compiled code is kept beside this file.
"""

from typing import Any

import numpy as np
from numba import float64, int64, njit, types, void

_MATRIX = types.Array(float64, 2, "C", readonly=True)
_VECTOR = types.Array(float64, 1, "C", readonly=True)
_ANY_ORDER = {"reassoc", "contract", "nsz"}  # of additions, so that several run at once
_TILE = 512  # rows whose weighted column stays in the processor's nearest cache


def _compiled(*arguments: Any) -> Any:
    return njit(void(*arguments), cache=True, nogil=True, fastmath=_ANY_ORDER)


@_compiled(_MATRIX, _VECTOR, int64, float64[::1])
def predictors(design, beta, first, out):  # type: ignore[no-untyped-def]
    """Set out to the linear predictors of the rows from `first` on.

    Args:
        design: (p, n). beta: (p,). out: (rows,).
    """
    for start in range(0, out.size, _TILE):
        rows = min(_TILE, out.size - start)
        part = out[start : start + rows]
        part[:] = 0.0
        for j in range(beta.size):
            column = design[j, first + start : first + start + rows]
            for t in range(rows):
                part[t] += beta[j] * column[t]


@_compiled(_MATRIX, _VECTOR, _VECTOR, int64, float64[::1], float64[:, ::1])
def add_products(design, residual, weight, first, gradient, curvature):  # type: ignore[no-untyped-def]
    """Add columns times residuals, and the upper triangle of columns times weighted columns.

    Args:
        design: (p, n). residual, weight: (rows,) of the rows from `first` on.
        gradient: (p,). curvature: (p, p).
    """
    p = gradient.size
    weighted = np.empty(_TILE)
    for start in range(0, residual.size, _TILE):
        rows = min(_TILE, residual.size - start)
        a, b = first + start, first + start + rows
        for j in range(p):
            column = design[j, a:b]
            total = 0.0
            for t in range(rows):
                total += column[t] * residual[start + t]
                weighted[t] = column[t] * weight[start + t]
            gradient[j] += total
            k = j
            while k + 4 <= p:  # four at once: a weighted number is read once for all
                c0, c1, c2, c3 = (
                    design[k, a:b],
                    design[k + 1, a:b],
                    design[k + 2, a:b],
                    design[k + 3, a:b],
                )
                s0 = s1 = s2 = s3 = 0.0
                for t in range(rows):
                    w = weighted[t]
                    s0 += w * c0[t]
                    s1 += w * c1[t]
                    s2 += w * c2[t]
                    s3 += w * c3[t]
                curvature[j, k] += s0
                curvature[j, k + 1] += s1
                curvature[j, k + 2] += s2
                curvature[j, k + 3] += s3
                k += 4
            while k < p:
                other = design[k, a:b]
                total = 0.0
                for t in range(rows):
                    total += weighted[t] * other[t]
                curvature[j, k] += total
                k += 1
