"""Weights of agreement learnt from pairs: found again where they are known."""

from fractions import Fraction

import numpy as np

from protocols.plaintext.agreement import learn
from protocols.plaintext.linkage import Sets, reached

SAME = np.array([0.05, 0.15, 0.8])  # of no level, the first, the second
OTHER = np.array([0.9, 0.08, 0.02])
FIELDS, N, MISSING = 6, 400, 0.1


def test_probabilities_are_found_without_knowing_who_is_who(rng) -> None:
    of_one = np.eye(N, dtype=bool)[:, rng.permutation(N)]
    levels = [drawn(of_one, rng) for _ in range(FIELDS)]
    found = learn(levels, [3] * FIELDS, N // 2)
    assert abs(found.share * N * N - N) < N / 20
    assert abs(found.prior + np.log2(N)) < 0.1
    for level, m, u, weights in zip(levels, found.same, found.other, found.weights, strict=True):
        np.testing.assert_allclose(m, shares(level[of_one]), atol=0.04)
        np.testing.assert_allclose(u, shares(level[~of_one]), atol=0.004)
        np.testing.assert_allclose(weights, np.log2(m / u))


def drawn(of_one: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    levels = np.where(of_one, rng.choice(3, (N, N), p=SAME), rng.choice(3, (N, N), p=OTHER)) + 1
    return np.where(rng.random((N, N)) < MISSING, 0, levels).astype(np.int8)


def shares(levels: np.ndarray) -> np.ndarray:
    return np.bincount(levels, minlength=4)[1:] / np.count_nonzero(levels)


def test_levels_are_those_of_dice() -> None:
    left = Sets(
        np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool), np.array([1, 1, 0], bool)
    )
    right = Sets(np.array([[1, 1, 0, 0], [1, 0, 1, 1]], bool), np.array([1, 1], bool))
    found = reached(left, right, [Fraction(1, 2), Fraction(1)])
    np.testing.assert_array_equal(found, [[3, 1], [2, 2], [0, 0]])  # 1, 2/5; 2/3, 1/2; missing
