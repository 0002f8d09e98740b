"""INSECURE: weights of agreement learnt from pairs of which nobody says who belongs together.

Fellegi and Sunter's model: given whether two records are of one person, their fields reach levels
of similarity independently, with probabilities m for pairs of one person and u for all others.
Expectation maximisation finds them, and how many pairs are of one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int8]
Floats = NDArray[np.float64]
ROUNDS = 50
_SURE = 0.9  # of pairs of one person that reach a field's highest level, to begin with
_SEEN = 0.5  # a level that no pair of one person reaches counts as if half a pair had


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was learnt.

    Attributes:
        same, other: for each field the probabilities m and u of its levels, none of them first.
        share: of pairs that are of one person.
    """

    same: tuple[Floats, ...]
    other: tuple[Floats, ...]
    share: float

    @property
    def weights(self) -> tuple[Floats, ...]:
        """Return log2 of m / u."""
        pairs = zip(self.same, self.other, strict=True)
        return tuple(np.log2(m / np.maximum(u, 1e-9)) for m, u in pairs)

    @property
    def prior(self) -> float:
        """Return log2 of the odds that two records are of one person, before comparing them."""
        return float(np.log2(self.share / (1 - self.share)))


def learn(levels: Sequence[Levels], counts: Sequence[int], persons: int) -> Agreement:
    """Learn weights from all pairs of two sides, by expectation maximisation. INSECURE.

    Args:
        levels: for each field what `reached` says of all pairs, of one shape.
        counts: for each field how many levels there are, that of none included.
        persons: about how many pairs are of one person, to begin with: at least 1.
    """
    patterns, times = _patterns(levels, counts)
    total = float(times.sum())
    marks = [_marks(row, k) for row, k in zip(patterns, counts, strict=True)]
    same = [np.append(np.full(k - 1, (1 - _SURE) / (k - 1)), _SURE) for k in counts]
    other = [_shares(mark @ times, 0.0) for mark in marks]
    share = persons / total
    for _ in range(ROUNDS):
        odds = np.log(share / (1 - share)) + sum(
            np.log(m / np.maximum(u, 1e-9)) @ mark
            for m, u, mark in zip(same, other, marks, strict=True)
        )
        expected = times / (1 + np.exp(-odds))
        share = float(np.clip(expected.sum() / total, 1 / total, 1 - 1 / total))
        same = [_shares(mark @ expected, _SEEN) for mark in marks]
        other = [_shares(mark @ (times - expected), 0.0) for mark in marks]
    return Agreement(tuple(same), tuple(other), share)


def _patterns(levels: Sequence[Levels], counts: Sequence[int]) -> tuple[Levels, Floats]:
    """Return the different combinations of levels, (fields, p), and how many pairs have each."""
    code = np.zeros(levels[0].size, dtype=np.int64)
    for level, k in zip(levels, counts, strict=True):
        code *= k + 1
        code += level.ravel()
    different, times = np.unique(code, return_counts=True)
    rows = []
    for k in reversed(counts):
        rows.append(different % (k + 1))
        different //= k + 1
    return np.array(rows[::-1], dtype=np.int8), times.astype(np.float64)


def _marks(row: Levels, k: int) -> Floats:
    """Return (k, p): which pattern has which level; none if a value is missing."""
    marks: Floats = (row == np.arange(1, k + 1)[:, None]).astype(np.float64)
    return marks


def _shares(seen: Floats, more: float) -> Floats:
    shares: Floats = (seen + more) / max(seen.sum() + more * len(seen), 1e-9)
    return shares
