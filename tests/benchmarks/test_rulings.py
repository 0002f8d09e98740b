"""The benchmark of rulings: nothing is refused, and a line has every key."""

from benchmarks.measure import Asked
from benchmarks.run import run


def test_the_benchmark_of_rulings_is_right() -> None:
    figures = run(Asked("policy_check_wide", 2, runs=1))
    assert figures["correct"] is True
    assert figures["limit_seconds"] == 0.01
