"""Homomorphic benchmarks: right answers, and the keys that every benchmark's line has."""

import json

import numpy as np
import pytest

from benchmarks.encrypted import by_hand, questions, sums
from benchmarks.encrypted.measured import Sides
from benchmarks.encrypted.names import ENCRYPTED, IN_A_ROOM, SIZES
from benchmarks.encrypted.rows import in_the_clear, owners, pooled
from benchmarks.measure import Asked, Measured, line, memory_bytes
from benchmarks.run import run
from protocols.he.bfv import Encryptor, SecretKey, Sum
from protocols.he.contribution import contribute
from protocols.he.parameters import SUM

ROWS = dict.fromkeys(("he_private_filter", "he_private_filter_room"), 500)
ROWS |= dict.fromkeys(("he_score", "he_score_room"), 300)
COMMON = set(line(Asked("x", 1), Measured((1.0,), 1.0, (0, 0, 0), 1, 1, 1, ()), 1, 1, correct=True))


@pytest.mark.parametrize("name", sorted(set(ENCRYPTED) - {"he_many_owners"}))
def test_a_homomorphic_benchmark_is_right_and_has_every_key(name: str) -> None:
    figures = run(Asked(name, ROWS.get(name, 3000), runs=1))
    assert figures["correct"] is True
    assert set(figures) >= COMMON
    assert figures["transport"] == "memory"
    assert json.loads(json.dumps(figures)) == figures
    assert sum(figures["seconds_by_side"].values()) <= 1.01 * figures["seconds"]


@pytest.mark.parametrize("name", ["he_query", "he_private_filter_room", "he_score_room"])
def test_a_benchmark_in_a_room_is_right_and_has_every_key(name: str) -> None:
    figures = run(Asked(name, ROWS.get(name, 3000), runs=1))
    assert figures["correct"] is True
    assert set(figures) >= COMMON
    assert json.loads(json.dumps(figures)) == figures


def test_every_homomorphic_benchmark_has_sizes_for_a_report() -> None:
    assert set(SIZES) == {*ENCRYPTED, *IN_A_ROOM}


def test_many_owners_are_summed_right() -> None:
    twelve = owners(12, 12_000, 100)
    found = sums.query(twelve, 100, Sides())
    wanted = in_the_clear(pooled(twelve)).reindex(range(100), fill_value=0)
    np.testing.assert_array_equal(found, wanted.to_numpy().T.reshape(-1))


def test_the_coordinator_keeps_one_sum_whatever_the_number_of_owners() -> None:
    total, key = Sum(SUM), SecretKey(SUM).public
    sent = next(contribute(Encryptor(key), np.arange(100), 100, "owner", {}, "session", bytes(32)))
    for _ in range(8):
        total.add(sent)
    before = memory_bytes()
    for _ in range(100):
        total.add(sent)
    assert memory_bytes() - before < 4 * len(sent)


def test_a_filter_by_hand_counts_the_same() -> None:
    selector = np.arange(9000) % 2
    histograms = [np.full(9000, 3), np.arange(9000)]
    wanted = int(sum(selector @ histogram for histogram in histograms))
    assert by_hand.filter_by_hand(selector, histograms) == wanted
    assert questions.COLUMNS == 10
