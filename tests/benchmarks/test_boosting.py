"""The benchmark of trees: the pooled trees bit by bit, and the keys that every line has."""

import json

from threadpoolctl import threadpool_limits

from benchmarks.boosting import IN_PROCESS, SIZES, grow
from benchmarks.measure import Asked, Measured, line

COMMON = set(line(Asked("x", 1), Measured((1.0,), 1.0, (0, 0, 0), 1, 1, 1, ()), 1, 1, correct=True))


def test_trees_are_the_pooled_ones_and_have_every_key() -> None:
    with threadpool_limits(1):
        figures = grow(Asked("train_gbdt", 1000, runs=1), 3)
    assert figures["correct"] is True
    assert set(figures) >= COMMON | {"masked_seconds", "sklearn_seconds", "auc", "sklearn_auc"}
    assert json.loads(json.dumps(figures)) == figures
    assert set(SIZES) == set(IN_PROCESS)
