"""Rows' vectors made into bounded integers, whose sum no person can move far.

Rule: the bound holds in integers, whatever floats do before: what isn't within it counts as 0.
"""

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Floats

I64 = NDArray[np.int64]
_INSIDE = 1 - 2.0**-30  # a clipped vector stays within its bound when floats round


def clipped(vectors: Floats, clip: float, bits: int) -> I64:
    """Return each row's vector, shortened to at most `clip`, on a grid of clip * 2^-bits.

    Entries are rounded towards 0, which makes no vector longer. A vector that isn't finite is 0:
    nobody learns that there was one.

    Args:
        vectors: (n, d) with d up to 2^22. bits: up to 20.

    Returns:
        int64 (n, d); each row's squares add up to at most 2^(2 bits), exactly.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(vectors).max(axis=1, initial=0.0)
        finite = np.isfinite(largest)
        scale = np.where(finite & (largest > 0), largest, 1.0)
        short = np.where(finite[:, None], vectors, 0.0) / scale[:, None]
        norms = scale * np.sqrt(np.einsum("ij,ij->i", short, short))
        tiny = np.finfo(float).tiny
        shorter = np.minimum(scale / clip, scale / np.maximum(norms, tiny) * _INSIDE)
    grid: I64 = np.trunc(short * (shorter * 2.0**bits)[:, None]).astype(np.int64)
    beyond = np.einsum("ij,ij->i", grid, grid) > 1 << (2 * bits)
    grid[beyond] = 0
    return grid


def kept_rows(persons: NDArray[np.generic] | None, n: int, most: int) -> NDArray[np.intp]:
    """Return which rows are used: of each person the first `most`, in their order.

    Args:
        persons: (n,) whose row each is; None where each row is another person's.
    """
    if persons is None:
        return np.arange(n)
    order = np.argsort(persons, kind="stable")
    ordered = persons[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if n else order
    place = np.arange(n) - np.repeat(first, np.diff(np.append(first, n)))
    kept: NDArray[np.intp] = np.sort(order[place < most])
    return kept
