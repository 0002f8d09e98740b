"""Sorting: stable, by keys of any width; what is opened depends on the shuffle alone."""

import numpy as np
import pytest

from protocols.plaintext import rows as plain
from protocols.rep3.partition import Ranking
from protocols.rep3.share import join_bits, split_bits, words_for
from protocols.rep3.slices import to_planes
from protocols.rep3.sort import sort

SIZES = [0, 1, 2, 3, 8, 9, 63, 64, 65, 255, 257, 1000]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("k", "distinct"), [(0, 1), (1, 2), (20, 7), (64, 2000)])
def test_sort_agrees_with_its_twin(room, tables, rng, n: int, k: int, distinct: int) -> None:
    rows = tables.make(n, 3, 2)
    values = rng.integers(0, 2**64, distinct, dtype=np.uint64)
    values[:1] = 2**64 - 1
    key = to_planes(rng.choice(values, n), k)
    results = room.run(sort, tables.split(rows), split_bits(key))
    expected, expected_key = plain.sort(rows, key)
    got = tables.join(tuple(r[0] for r in results))
    tables.same(got, expected)
    np.testing.assert_array_equal(join_bits([r[1] for r in results]), expected_key)


@pytest.mark.parametrize("order", ["ascending", "descending", "equal"])
def test_orders_that_are_hard_for_a_naive_quicksort(room, tables, order: str) -> None:
    n = 500
    values = {"ascending": np.arange(n), "descending": np.arange(n)[::-1], "equal": np.zeros(n)}
    rows, key = tables.make(n, 0, 1), to_planes(values[order].astype(np.uint64), 9)
    results = room.run(sort, tables.split(rows), split_bits(key))
    expected, _ = plain.sort(rows, key)
    tables.same(tables.join(tuple(r[0] for r in results)), expected)
    assert room.cost()[0] < 2 + 40 * (1 + 5)


def test_sort_costs_what_it_says(room, tables, rng, gates) -> None:
    """The rounds and bytes follow from the opened levels, by an exact formula."""
    n, k, number = 300, 20, 9
    key = to_planes(rng.integers(0, 2**20, n, dtype=np.uint64), k)
    room.run(sort, tables.split(tables.make(n, 8, 1)), split_bits(key))
    rounds, sent = room.cost()
    levels = (rounds - 2) // (1 + 5)
    assert rounds == 2 + levels * (1 + 5)
    opened = [n for r in room.transcript.rounds for s, _, g, n in r if s == 1 and "part" in g]
    less = gates(k + number)
    moved = 8 * (-(-n * 5 // 8) + n)
    assert sent[1] == moved + sum(8 * (less + 1) * words + 32 for words in opened)
    assert sent[0] == sent[1] + moved
    assert sum(opened) <= 1.3 * words_for(n) * (number + 1) + levels


def test_equal_ranks_give_equal_transcripts(room, tables, rng) -> None:
    """Under equal keys of the session, what is sent depends on the order of the rows alone.

    That order is composed with a uniformly random one, so over the session's keys the
    transcript has one distribution for all inputs: see the next test.
    """
    n, transcripts = 200, []
    values = rng.integers(0, 2**16, n, dtype=np.uint64)
    for planes in (to_planes(values, 40), to_planes(values * np.uint64(3) + np.uint64(7), 40)):
        room.run(sort, tables.split(tables.make(n, 4, 1)), split_bits(planes), seed=b"ranks")
        transcripts.append(room.transcript.rounds)
    assert transcripts[0] == transcripts[1]


def test_the_number_of_rounds_has_one_distribution(room, tables, rng) -> None:
    """Means over many sessions of ascending, equal and random keys within 4 standard errors."""
    n, trials, sent = 40, 40, []
    for values in (np.arange(n), np.zeros(n), rng.integers(0, 64, n)):
        key = split_bits(to_planes(values.astype(np.uint64), 6))
        rows = tables.split(tables.make(n, 0, 0))
        costs = []
        for trial in range(trials):
            room.run(sort, rows, key, seed=b"mean%d" % trial)
            costs.append(room.cost()[1][1])
        sent.append(np.array(costs))
    for other in sent[1:]:
        error = np.sqrt((sent[0].var() + other.var()) / trials)
        assert abs(sent[0].mean() - other.mean()) < 4 * error


def test_a_tampered_opening_names_the_cheat(room, tables) -> None:
    rows, key = tables.split(tables.make(5, 2, 1)), split_bits(np.full((3, 1), 21, np.uint64))
    assert room.catch(sort, rows, key, gates="open") == 6


def test_a_key_of_another_size_is_refused(room, tables) -> None:
    key = split_bits(np.zeros((3, 2), np.uint64))
    with pytest.raises(ValueError, match="doesn't fit"):
        room.run(sort, tables.split(tables.make(5, 2, 1)), key)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 64, 5000])
def test_levels_sort_in_the_clear(rng, n: int) -> None:
    keys = rng.permutation(n).astype(np.uint64)
    ranking = Ranking.start(keys[:, None])
    compared = levels = 0
    while not ranking.done:
        left, right = ranking.pairs()
        now = ranking.rows[:, 0]
        ranking = ranking.after(now[left] < now[right])
        compared, levels = compared + left.size, levels + 1
        np.testing.assert_array_equal(np.sort(ranking.order), np.arange(n))
    np.testing.assert_array_equal(keys[ranking.order], np.arange(n))
    assert compared <= max(28, n * (np.log2(max(n, 1)) + 2))
    assert levels <= 2 * np.log2(max(n, 1)) + 8
