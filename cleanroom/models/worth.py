"""What predictions are worth beside the truth: figures of one test set, all rows given.

Rule: arithmetic on plain arrays. A figure that the rows don't determine is NaN.
"""

import math
from collections.abc import Mapping

import numpy as np

from cleanroom.learning import ranks
from cleanroom.learning.facts import Floats

OF_TRUTHS = ("auc", "auprc", "precision_at_20", "precision_at_50")
OF_NUMBERS = ("r2",)


def of_truths(target: Floats, score: Floats) -> Mapping[str, float]:
    """Return how well scores, (n,), find the rows of target 1 among 0 and 1.

    `auprc` is the average precision; `precision_at_20` the best precision of a threshold that
    finds at least 20 % of the rows of target 1.
    """
    _, place = np.unique(score, return_inverse=True)
    counts = [
        np.bincount(place[target == one], minlength=place.max(initial=0) + 1) for one in (0, 1)
    ]
    negatives, positives = (count.astype(np.float64) for count in counts)
    if not (negatives.any() and positives.any()):
        return dict.fromkeys(OF_TRUTHS, math.nan)
    found, wrong = np.cumsum(positives[::-1]), np.cumsum(negatives[::-1])
    recall, precision = found / found[-1], found / np.maximum(found + wrong, 1)
    at_20, at_50 = (float(precision[recall >= least].max()) for least in (0.2, 0.5))
    area, _ = ranks.area_under_roc(negatives, positives)
    average, _ = ranks.average_precision(negatives, positives)
    return dict(zip(OF_TRUTHS, (area, average, at_20, at_50), strict=True))


def of_numbers(target: Floats, score: Floats) -> Mapping[str, float]:
    """Return the share of a number's variance that predictions explain."""
    spread = float(((target - target.mean()) ** 2).sum()) if target.size else 0.0
    left = float(((target - score) ** 2).sum())
    return {"r2": 1 - left / spread if spread else math.nan}
