"""Regressions over secret rows, against their floating-point twins and scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from protocols.plaintext import regression as plain
from protocols.rep3.regression import BITS, L2_BITS, MAX_L2, Descent, fit_linear, fit_logistic
from protocols.rep3.share import Arith, join_arith, split_arith
from protocols.rep3.sigmoid import STRETCH_OVER, STRETCH_UNDER
from protocols.rep3.standard import MAX_ROWS, UNIT_BITS

DATA = load_breast_cancer()
ABSENT = 40  # rows that aren't there, anywhere among the others
DESCENT = Descent(iterations=100, l2=1 << L2_BITS, least_rows=10)


class Table:
    """Columns between -1 and 1 within bounds `wide` times too wide; some rows are not there."""

    def __init__(self, columns: np.ndarray, wide: float = 1) -> None:
        rng = np.random.default_rng(7)
        low, high = columns.min(axis=0), columns.max(axis=0)
        self.rows = (2 * columns - low - high) / ((high - low) * wide)
        n = len(columns) + ABSENT
        self.there = np.ones(n, dtype=bool)
        self.there[rng.choice(n, ABSENT, replace=False)] = False
        self.features = np.zeros((1 + columns.shape[1], n))
        self.features[:, self.there] = np.vstack([np.ones(len(columns)), self.rows.T])

    def shares(self) -> tuple[tuple[Arith, ...], tuple[Arith, ...]]:
        there = split_arith(self.there.astype(np.uint64))
        whole = np.rint(self.features * 2**UNIT_BITS).astype(np.int64)
        return there, split_arith(whole.view(np.uint64))

    def spread(self, column: np.ndarray) -> np.ndarray:
        found = np.zeros(len(self.there))
        found[self.there] = column
        return found


def opened(shares: tuple[Arith, ...]) -> np.ndarray:
    return join_arith(shares).view(np.int64) / 2**BITS


@pytest.mark.parametrize("wide", [1, 50])
def test_logistic_regression_agrees_with_its_twin_and_scikit_learn(room, wide: float) -> None:
    table, target = Table(DATA.data[:, :10], wide), DATA.target
    aims = table.spread(target)
    shares = split_arith(aims.astype(np.uint64))
    found = room.run(lambda c, t, f, y: fit_logistic(c, t, f, y, DESCENT), *table.shares(), shares)
    given = opened(found) * STRETCH_UNDER / STRETCH_OVER
    twin = plain.fit_logistic(table.there, table.features, aims, DESCENT)
    scaler = StandardScaler().fit(table.rows)
    best = LogisticRegression(tol=1e-10, max_iter=9999).fit(scaler.transform(table.rows), target)

    def standard(coefficients: np.ndarray) -> np.ndarray:
        slopes = coefficients[1:] * scaler.scale_
        return np.append(coefficients[0] + coefficients[1:] @ scaler.mean_, slopes)

    np.testing.assert_allclose(standard(given), standard(twin), atol=3e-3)
    expected = np.append(best.intercept_, best.coef_[0])
    np.testing.assert_allclose(standard(given), expected, atol=5e-3)
    mine, theirs = (roc_auc_score(target, table.rows @ c) for c in (given[1:], twin[1:]))
    assert abs(mine - theirs) < 1e-4
    n, m = table.features.shape[1], 11
    rounds, n_bytes = room.cost()
    assert rounds == 121 + 18 * DESCENT.iterations
    assert n_bytes[0] <= n * (8 * m + 205 * DESCENT.iterations) + 10_000 * m
    assert max(n_bytes[1:]) <= n * (8 * m + 65 * DESCENT.iterations) + 10_000 * m


def test_linear_regression_agrees_with_scikit_learn(room) -> None:
    table = Table(np.column_stack([DATA.data[:, 1:10], DATA.data[:, 0]]), 3)
    descent = Descent(iterations=20, l2=1 << L2_BITS, least_rows=10)
    found = room.run(lambda c, t, f: fit_linear(c, t, f, descent), *table.shares())
    given = opened(found)
    features, target = table.rows[:, :-1], table.rows[:, -1]
    scaler = StandardScaler().fit(features)
    best = Ridge(alpha=1).fit(scaler.transform(features), target)
    np.testing.assert_allclose(given[1:] * scaler.scale_, best.coef_, atol=1e-4)
    twin = plain.fit_linear(table.there, table.features, descent)
    np.testing.assert_allclose(given, twin, atol=1e-3)
    assert room.cost()[0] == 119 + 4 * descent.iterations


@pytest.mark.parametrize("there", [0, 1, 64])
def test_hardly_any_rows_and_columns_that_never_vary_do_no_harm(room, there: int) -> None:
    features = np.zeros((3, 64))
    features[0, :there] = 1
    features[1, :there] = 0.5
    features[2, :there] = np.linspace(-1, 1, there)
    aims = (features[2] > 0).astype(np.uint64)
    flags = split_arith((features[0] > 0).astype(np.uint64))
    whole = split_arith(np.rint(features * 2**UNIT_BITS).astype(np.int64).view(np.uint64))
    descent = Descent(20, MAX_L2 << L2_BITS, 1)
    step = lambda c, t, f, y: fit_logistic(c, t, f, y, descent)  # noqa: E731
    found = opened(room.run(step, flags, whole, split_arith(aims)))
    assert abs(found[1]) < 1e-6
    assert np.abs(found).max() < 10


def test_more_rows_than_words_can_add_up_are_refused(room) -> None:
    wide = np.broadcast_to(np.uint64(0), (2, 2 * MAX_ROWS))
    shares = [Arith(wide, wide)] * 3
    with pytest.raises(ValueError, match="at most"):
        room.run(lambda c, f: fit_linear(c, f, f, DESCENT), shares)
