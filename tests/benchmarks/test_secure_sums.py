"""The benchmarks of secure sums: right, and with the keys that every line has."""

import json

from benchmarks.in_process import IN_PROCESS, SIZES
from benchmarks.measure import Asked, Measured, line
from benchmarks.run import run
from benchmarks.secure_sums import many

COMMON = set(line(Asked("x", 1), Measured((1.0,), 1.0, (0, 0, 0), 1, 1, 1, ()), 1, 1, correct=True))


def test_the_benchmark_of_three_members() -> None:
    figures = run(Asked("secagg", 500, runs=1))
    assert figures["correct"] is True
    assert set(figures) >= COMMON
    assert figures["transport"] == "memory"
    assert figures["rounds"] == 1
    assert figures["bytes_a_word"] < 8.1
    assert json.loads(json.dumps(figures)) == figures


def test_the_benchmark_of_many_members_of_whom_some_drop_out() -> None:
    figures = many(Asked("secagg_many", 50, runs=1), 20)
    assert figures["correct"] is True
    assert (figures["members"], figures["survivors"], figures["dropped"]) == (20, 18, 4)
    assert figures["rounds"] == 4


def test_every_benchmark_in_one_process_has_sizes_for_a_report() -> None:
    assert set(SIZES) == set(IN_PROCESS)
