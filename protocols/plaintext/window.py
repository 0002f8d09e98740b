"""INSECURE twins of windows over ordered partitions: plain numpy, no protection."""

import numpy as np
from numpy.typing import NDArray

from protocols.rounds import U64

Flags = NDArray[np.bool_]


def before_segment(same: Flags, columns: U64) -> U64:
    """Give each row what (m, n) columns hold in the last row before its segment. INSECURE."""
    first = _firsts(same)
    padded: U64 = np.hstack([np.zeros((columns.shape[0], 1), dtype=np.uint64), columns])
    return padded[:, first]


def over_segment(same: Flags, columns: U64) -> U64:
    """Give each row the total of (m, n) columns over its segment. INSECURE."""
    first = _firsts(same)
    totals = np.zeros_like(columns)
    for column, total in zip(columns, totals, strict=True):
        np.add.at(total, first, column)
    return totals[:, first]


def row_number(same: Flags) -> U64:
    """Number the rows of each segment from 1. INSECURE."""
    return (np.arange(same.size) - _firsts(same) + 1).astype(np.uint64)


def rank(same: Flags, peers: Flags) -> U64:
    """Give peers the number of the first of them in the segment. INSECURE."""
    return row_number(same)[_firsts(peers)]


def dense_rank(same: Flags, peers: Flags) -> U64:
    """Number the groups of peers in each segment from 1. INSECURE."""
    groups = np.cumsum(~peers, dtype=np.uint64)
    numbers: U64 = groups - groups[_firsts(same)] + np.uint64(1)
    return numbers


def neighbour(same: Flags, values: U64, distance: int) -> tuple[U64, Flags]:
    """Return the values `distance` rows before, and whether they are of the segment. INSECURE."""
    there = np.arange(same.size) - distance
    inside = (there >= 0) & (there < same.size)
    there = np.where(inside, there, 0)
    inside &= _firsts(same)[there] == _firsts(same)
    found: U64 = np.where(inside, values[there], np.uint64(0))
    return found, inside


def _firsts(same: Flags) -> NDArray[np.intp]:
    """Return the first row of each row's segment; row 0 begins one."""
    starts = np.where(same, 0, np.arange(same.size))
    firsts: NDArray[np.intp] = np.maximum.accumulate(starts)
    return firsts
