"""INSECURE twin of the ladder of keys that links persons: plain numpy, no protection."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.rounds import U64

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


def ladder(
    left: tuple[Sequence[U64], Sequence[Flags]],
    right: tuple[Sequence[U64], Sequence[Flags]],
) -> tuple[Places, Places, Places]:
    """Link rows of two sides, key by key. INSECURE.

    Args:
        left, right: of each side the keys, (n,) each, and which rows have them.

    Returns:
        of each pair the left row, the right row and the rung from 1, by rung and key.
    """
    free = [np.ones(keys[0].size, dtype=np.bool_) for keys, _ in (left, right)]
    found: list[tuple[Places, Places, Places]] = []
    for rung in range(len(left[0])):
        singles = []
        for (keys, known), rows in zip((left, right), free, strict=True):
            singles.append(_singles(keys[rung], np.flatnonzero(known[rung] & rows)))
        _, first, second = np.intersect1d(
            singles[0][0], singles[1][0], assume_unique=True, return_indices=True
        )
        rows_left, rows_right = singles[0][1][first], singles[1][1][second]
        free[0][rows_left] = free[1][rows_right] = False
        found.append((rows_left, rows_right, np.full(rows_left.size, rung + 1, dtype=np.intp)))
    lefts, rights, rungs = zip(*found, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(rungs)


def _singles(keys: U64, rows: Places) -> tuple[U64, Places]:
    """Return the keys that only one of these rows has, and that row."""
    values, first, counts = np.unique(keys[rows], return_index=True, return_counts=True)
    return values[counts == 1], rows[first[counts == 1]]
