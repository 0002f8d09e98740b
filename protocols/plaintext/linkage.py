"""INSECURE twins of linkage by similarity: plain numpy, no protection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.scoring import Field, Scoring

Flags = NDArray[np.bool_]
Scores = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sets:
    """Values of a field: which bits are set, (n, k), and which values are there, (n,)."""

    bits: Flags
    there: Flags


def pair_scores(left: Mapping[str, Sets], right: Mapping[str, Sets], scoring: Scoring) -> Scores:
    """Add up the weights of all fields of all pairs, (m, n), in the weights' units. INSECURE."""
    parts = [_weights(left[f.column], right[f.column], f) for f in scoring.fields]
    total: Scores = np.sum(parts, axis=0)
    return total


def _weights(left: Sets, right: Sets, field: Field) -> Scores:
    weights: Scores = np.array(field.weights, dtype=np.int64)
    return weights[reached(left, right, [level.dice for level in field.ascending])]


def reached(left: Sets, right: Sets, dice: Sequence[Fraction]) -> NDArray[np.int8]:
    """Tell which of ascending levels each pair reaches, (m, n). INSECURE.

    Returns:
        0 if a value is missing, 1 for none, 2 for the first level, and so on.
    """
    common = left.bits.astype(np.float32) @ right.bits.astype(np.float32).T
    sizes = left.bits.sum(axis=1)[:, None] + right.bits.sum(axis=1)
    level = np.ones(common.shape, dtype=np.int8)
    for one in dice:
        level += 2 * one.denominator * common >= one.numerator * sizes
    return np.where(left.there[:, None] & right.there, level, 0)


def best_matches(scores: Scores, threshold: int) -> Flags:
    """Tell which pairs are the best of row and column, and the only such ones. INSECURE."""
    if scores.size == 0:
        return np.zeros(scores.shape, dtype=np.bool_)
    best = scores >= threshold
    best &= scores == scores.max(axis=1, keepdims=True)
    best &= scores == scores.max(axis=0)
    alone: Flags = best & (best.sum(axis=1, keepdims=True) == 1) & (best.sum(axis=0) == 1)
    return alone


def near_pairs(
    left: Sequence[tuple[int, int] | None], right: Sequence[tuple[int, int] | None], window: int
) -> Flags:
    """Tell which pairs are scored if only those near each other in a block are. INSECURE.

    Args:
        left, right: of each row its block and its order in that; None: in no block.

    Returns:
        (m, n): as `Blocks` of a scoring says it.
    """
    sides = enumerate((left, right))
    rows = [(key, s, i) for s, side in sides for i, key in enumerate(side) if key is not None]
    rows.sort()
    near = np.zeros((len(left), len(right)), dtype=np.bool_)
    for at, (key, side, i) in enumerate(rows):
        for other_key, other_side, j in rows[at + 1 : at + 1 + window]:
            if other_key[0] == key[0] and other_side != side:
                near[(i, j) if side == 0 else (j, i)] = True
    return near
