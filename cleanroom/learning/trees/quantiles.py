"""Upper ends of bins at quantiles, from counts over all owners.

Rule: pure. Counts start on an even grid between declared bounds; then half of the grid moves to
where the rows are, which finds quantiles of skewed numbers too.
"""

import numpy as np

from cleanroom.learning.facts import Column, Floats
from cleanroom.learning.trees.layout import CELLS

ROUNDS = 4


def even(column: Column, cells: int = CELLS) -> Floats:
    """Return (cells - 1,) inner ends of equal cells between a number's bounds."""
    return np.linspace(column.low, column.high, cells + 1)[1:-1]


def refined(column: Column, ends: Floats, counts: Floats) -> Floats:
    """Return (CELLS - 1,) ends of which half lie evenly and half at quantiles.

    Args:
        ends: (CELLS - 1,) inner ends that the counts were taken with.
        counts: (CELLS,) rows between them.
    """
    borders = np.concatenate([[column.low], ends, [column.high]])
    up_to = np.concatenate([[0.0], np.cumsum(counts)])
    half = CELLS // 2
    wanted = np.linspace(0, up_to[-1], half + 1)[1:-1]
    at_quantiles = np.interp(wanted, up_to, borders)
    chosen = np.concatenate([even(column, half), at_quantiles])
    return np.sort(np.append(chosen, column.high))


def chosen(ends: Floats, counts: Floats, max_bins: int) -> Floats:
    """Return (max_bins - 1,) upper ends of bins of about equal rows, then infinity.

    Every cell that holds a row has a bin of its own where there are enough bins.
    """
    held = np.flatnonzero(counts)
    cuts = held[:-1]
    if len(held) > max_bins:
        up_to = np.cumsum(counts)
        wanted = up_to[-1] * np.arange(1, max_bins) / max_bins
        cuts = np.unique(np.searchsorted(up_to, wanted))
        cuts = cuts[cuts < held[-1]]
    found = np.unique(ends[cuts])
    return np.concatenate([found, np.full(max_bins - 1 - len(found), np.inf)])
