"""The benchmarks of rulings, logs and states: right, and within what is promised by far."""

import pytest

from benchmarks import evidence, kept
from benchmarks.measure import Asked
from benchmarks.run import run

IN_PROCESS = evidence.IN_PROCESS | kept.IN_PROCESS


@pytest.mark.parametrize("name", IN_PROCESS)
def test_it_is_right_at_a_small_size(name: str) -> None:
    figures = run(Asked(name, 12, runs=1))
    assert figures["correct"] is True
    assert figures["seconds"] > 0
    assert set(evidence.SIZES | kept.SIZES) == set(IN_PROCESS)
