"""Rows' vectors made into bounded integers, whose sum no person can move far.

Rule: the bound holds in integers, whatever floats do before: what isn't within it counts as 0.
"""

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Floats

_INSIDE = 1 - 2.0**-30  # a clipped vector stays within its bound when floats round


def clipped(vectors: Floats, clip: float, bits: int) -> Floats:
    """Return each row's vector, shortened to at most `clip`, on a grid of clip * 2^-bits.

    Entries are rounded towards 0, which makes no vector longer. A vector that isn't finite is 0:
    nobody learns that there was one.

    Args:
        vectors: (n, d) with d up to 2^22. bits: up to 20.

    Returns:
        (n, d) integers as float64, each row's squares adding up to at most 2^(2 bits): exactly,
        since sums of integers up to 2^53 are exact, and larger ones can't seem smaller than that.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        shorter = np.minimum(1 / clip, _INSIDE / norms) * 2.0**bits
        grid: Floats = vectors * shorter[:, None]
    odd = np.flatnonzero(~np.isfinite(norms))
    if len(odd):
        grid[odd] = [_clipped_alone(vectors[row], clip, bits) for row in odd]
    np.trunc(grid, out=grid)
    grid[np.einsum("ij,ij->i", grid, grid) > 2.0 ** (2 * bits)] = 0.0
    return grid


def _clipped_alone(vector: Floats, clip: float, bits: int) -> Floats:
    """Return a vector whose squares overflow; 0 if it isn't finite."""
    if not np.isfinite(vector).all():
        return np.zeros_like(vector)
    scaled = vector / np.abs(vector).max()
    alone: Floats = scaled * (2.0**bits * _INSIDE / float(np.linalg.norm(scaled)))
    return alone


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
