"""Figures of predictions, beside scikit-learn's."""

import math

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    r2_score,
    roc_auc_score,
)

from cleanroom.models import worth


@pytest.mark.parametrize("decimals", [16, 1])  # the second with many ties
def test_figures_are_those_of_a_textbook(decimals: int) -> None:
    random = np.random.default_rng(3)
    target = (random.random(500) < 0.2).astype(np.float64)
    score = np.round(random.random(500) + 0.3 * target, decimals)
    precision, recall, _ = precision_recall_curve(target, score)
    found = worth.of_truths(target, score)
    assert found == pytest.approx(
        {
            "auc": roc_auc_score(target, score),
            "auprc": average_precision_score(target, score),
            "precision_at_20": precision[recall >= 0.2].max(),
            "precision_at_50": precision[recall >= 0.5].max(),
        }
    )
    assert worth.of_numbers(target, score) == pytest.approx({"r2": r2_score(target, score)})


def test_rows_that_determine_nothing_give_no_figure() -> None:
    nothing, ones = np.zeros(0), np.ones(3)
    assert all(math.isnan(value) for value in worth.of_truths(nothing, nothing).values())
    assert all(math.isnan(value) for value in worth.of_truths(ones, ones).values())
    assert math.isnan(worth.of_numbers(nothing, nothing)["r2"])
