"""The benchmarks of trainings: right, and with the keys that every line has."""

import json

import pytest

from benchmarks.learning import IN_PROCESS, SIZES
from benchmarks.measure import Asked, Measured, line
from benchmarks.run import run

COMMON = set(line(Asked("x", 1), Measured((1.0,), 1.0, (0, 0, 0), 1, 1, 1, ()), 1, 1, correct=True))


@pytest.mark.parametrize("name", sorted(IN_PROCESS))
def test_a_training_is_right_and_has_every_key(name: str) -> None:
    figures = run(Asked(name, 3000, runs=1))
    assert figures["correct"] is True
    assert set(figures) >= COMMON
    assert json.loads(json.dumps(figures)) == figures
    assert set(SIZES) == set(IN_PROCESS)
