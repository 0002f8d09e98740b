"""Exact sums of those that stayed, whenever others leave; trips and bytes."""

import numpy as np
import pytest
from secure_sums import sums

from protocols.secagg.errors import TooFewMembers


@pytest.mark.parametrize(("n", "threshold"), [(3, 3), (4, 3), (5, 5), (7, 5)])
def test_sum_of_all(n: int, threshold: int) -> None:
    session = sums(n, threshold, 100)
    for _ in range(3):
        opened = session.ask(b"gradient")
        assert np.array_equal(opened.words, session.expected(session.words))
        assert opened.survivors == session.roster.members


@pytest.mark.parametrize("trip", [1, 2, 3])
def test_sum_of_survivors(trip: int) -> None:
    session = sums(7, 5, 100)
    gone = {1: ["m001"], 2: [], 3: []}
    gone[trip].append("m004")
    opened = session.ask(b"q", gone)
    stayed = [n for n in session.words if n not in gone[1]]
    assert opened.survivors == tuple(stayed)
    assert np.array_equal(opened.words, session.expected(stayed))
    again = session.ask(b"q")
    assert set(opened.survivors) <= set(again.survivors)
    assert np.array_equal(again.words, session.expected(again.survivors))
    assert session.ask(b"q").survivors == session.roster.members


def test_too_few_stay() -> None:
    session = sums(7, 5, 10)
    with pytest.raises(TooFewMembers, match="m001, m002, m003"):
        session.ask(b"q", {1: ["m001", "m002", "m003"]})
    assert session.ask(b"q").survivors
