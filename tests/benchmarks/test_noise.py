"""The benchmark of noise: right, and with the keys that every line has."""

import json

from benchmarks.measure import Asked, Measured, line
from benchmarks.noise import IN_PROCESS, SIZES
from benchmarks.run import run

COMMON = set(line(Asked("x", 1), Measured((1.0,), 1.0, (0, 0, 0), 1, 1, 1, ()), 1, 1, correct=True))


def test_the_benchmark_of_noise_is_right_and_has_every_key() -> None:
    figures = run(Asked("dp_noise", 5000, runs=1))
    assert figures["correct"] is True
    assert set(figures) == COMMON
    assert json.loads(json.dumps(figures)) == figures
    assert set(SIZES) == set(IN_PROCESS)
