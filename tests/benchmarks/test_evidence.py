"""The benchmarks of rulings and logs: right, and within what is promised by far."""

import pytest

from benchmarks.evidence import IN_PROCESS, SIZES
from benchmarks.measure import Asked
from benchmarks.run import run


@pytest.mark.parametrize("name", IN_PROCESS)
def test_it_is_right_at_a_small_size(name: str) -> None:
    figures = run(Asked(name, 12, runs=1))
    assert figures["correct"] is True
    assert figures["seconds"] > 0
    assert set(SIZES) == set(IN_PROCESS)
