"""Shuffles, placements and compaction: right rows, uniform orders, exact cost."""

from itertools import permutations

import numpy as np
import pytest

from protocols.plaintext import rows as plain
from protocols.rep3 import shuffle_kernels
from protocols.rep3.place import compact, place, place_again, placement_of, unplace
from protocols.rep3.share import split_arith, split_bits, words_for
from protocols.rep3.shuffle import reshuffle, shuffle, unshuffle
from protocols.rep3.slices import to_planes
from protocols.rounds import ProtocolError
from protocols.simulate import contexts, simulate

SIZES = [0, 1, 2, 63, 64, 65, 300]


def firsts(results):
    return tuple(r[0] for r in results)


def shuffle_bytes(n: int, k: int, m: int) -> int:
    return 8 * (-(-n * -(-k // 8) // 8) + m * n)


def placed_cost(n: int, k: int, m: int) -> list[int]:
    moved, opened = shuffle_bytes(n, k, m + 1), 8 * n + 32
    return [2 * moved + opened, moved + opened, moved + opened]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("k", "m"), [(0, 1), (9, 1), (84, 3)])
def test_shuffle_keeps_rows_whole_and_can_be_undone(room, tables, n: int, k: int, m: int) -> None:
    rows = tables.make(n, k, m)
    results = room.run(shuffle, tables.split(rows))
    moved, one = shuffle_bytes(n, k, m), tables.join(firsts(results))
    assert room.cost() == (2, [2 * moved, moved, moved])
    tables.same(one, plain.take(rows, one.sums[-1].astype(np.intp)))

    shufflings = tuple(r[1] for r in results)
    back = room.run(unshuffle, firsts(results), shufflings)
    tables.same(tables.join(back), rows)
    again = room.run(reshuffle, tables.split(rows), shufflings)
    tables.same(tables.join(again), one)
    assert room.cost() == (2, [2 * moved, moved, moved])


def test_an_order_is_as_likely_as_any_other(tables) -> None:
    """Chi-square over the 24 orders of 4 rows; 49.7 is the 0.1 % point at 23 degrees."""
    rows, seen = tables.split(tables.make(4, 0, 1)), dict.fromkeys(permutations(range(4)), 0)
    trials = 1200
    for trial in range(trials):
        three = contexts(b"chi" + trial.to_bytes(4, "big"))
        got = tables.join(firsts(simulate([shuffle(c, rows[c.me]) for c in three])))
        seen[tuple(got.sums[0].tolist())] += 1
    mean = trials / len(seen)
    assert sum((count - mean) ** 2 / mean for count in seen.values()) < 49.7


def test_draw_order_is_fisher_and_yates(rng) -> None:
    words, order = rng.integers(0, 2**64, 999, dtype=np.uint64), np.empty(1000, dtype=np.intp)
    assert shuffle_kernels.draw_order(words, order)
    expected = list(range(1000))
    for word, last in zip(words.tolist(), reversed(range(1, 1000)), strict=True):
        at = word * (last + 1) >> 64
        expected[last], expected[at] = expected[at], expected[last]
    assert order.tolist() == expected


def test_words_that_would_favour_a_number_are_drawn_again() -> None:
    """0 is one of 2^64 mod 3 words too many for 0 .. 2, and none for 0 .. 1."""
    order = np.empty(3, dtype=np.intp)
    assert not shuffle_kernels.draw_order(np.zeros(5, dtype=np.uint64), order)
    words = np.array([0, 2**64 - 1, 0], dtype=np.uint64)
    assert shuffle_kernels.draw_order(words, order)
    assert order.tolist() == [1, 0, 2]


def test_no_party_knows_all_three_permutations(room, tables) -> None:
    rows = tables.make(50, 0, 1)
    results = room.run(shuffle, tables.split(rows))
    order = tables.join(firsts(results)).sums[0]
    for _, known in results:
        for first, second in permutations((known.with_prev, known.with_next)):
            assert not np.array_equal(first[second], order)


def test_a_shuffling_fits_its_own_size_only(room, tables) -> None:
    results = room.run(shuffle, tables.split(tables.make(5, 1, 0)))
    with pytest.raises(ValueError, match="5 rows"):
        room.run(unshuffle, tables.split(tables.make(6, 1, 0)), tuple(r[1] for r in results))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("k", "m"), [(0, 0), (20, 2)])
def test_place_agrees_with_its_twin(room, tables, rng, n: int, k: int, m: int) -> None:
    rows, destination = tables.make(n, k, m), rng.permutation(n).astype(np.uint64)
    results = room.run(place, tables.split(rows), split_arith(destination))
    tables.same(tables.join(firsts(results)), plain.place(rows, destination))
    assert room.cost() == (3, placed_cost(n, k, m))

    placements, other = tuple(r[1] for r in results), tables.make(n, 3, 1)
    there = room.run(place_again, tables.split(other), placements)
    tables.same(tables.join(there), plain.place(other, destination))
    back = room.run(unplace, tables.split(other), placements)
    tables.same(tables.join(back), plain.unplace(other, destination))
    twice = tuple(p.inverse.inverse for p in placements)
    tables.same(tables.join(room.run(unplace, there, twice)), other)


@pytest.mark.parametrize("n", [1, 2, 65, 256])
def test_placement_of_planes_is_the_same(room, tables, rng, n: int) -> None:
    rows, destination = tables.make(n, 5, 1), rng.permutation(n).astype(np.uint64)
    bits = max(1, (n - 1).bit_length())
    planes = split_bits(to_planes(destination, bits))
    placements = room.run(lambda c, s: placement_of(c, s, n), planes)
    moved, opened = shuffle_bytes(n, bits, 0), 8 * bits * words_for(n) + 32
    assert room.cost() == (3, [2 * moved + opened, moved + opened, moved + opened])
    there = room.run(place_again, tables.split(rows), placements)
    tables.same(tables.join(there), plain.place(rows, destination))


@pytest.mark.parametrize("wrong", [[0, 0, 1], [0, 1, 3], [0, 1, 2**64 - 1]])
def test_what_is_no_permutation_is_refused(room, tables, wrong: list[int]) -> None:
    destination = split_arith(np.array(wrong, dtype=np.uint64))
    with pytest.raises(ProtocolError, match="permutation"):
        room.run(place, tables.split(tables.make(3, 1, 1)), destination)


@pytest.mark.parametrize("n", SIZES)
def test_compact_agrees_with_its_twin(room, tables, rng, n: int) -> None:
    for keep in (rng.integers(0, 2**64, (1, words_for(n)), dtype=np.uint64), np.zeros, np.ones):
        plane = keep if isinstance(keep, np.ndarray) else keep((1, words_for(n)), np.uint64)
        rows = tables.make(n, 10, 2)
        results = room.run(compact, tables.split(rows), split_bits(plane))
        tables.same(tables.join(firsts(results)), plain.compact(rows, plane))
        assert room.cost() == (6, [16 * n + b for b in placed_cost(n, 10, 2)])


def test_a_tampered_opening_names_the_cheat(room, tables, rng) -> None:
    rows, destination = tables.split(tables.make(7, 3, 1)), rng.permutation(7).astype(np.uint64)
    assert room.catch(place, rows, split_arith(destination), gates="open") == 6
    keep = split_bits(np.array([[37]], dtype=np.uint64))
    assert room.catch(compact, rows, keep, gates="open") == 6


def test_the_transcript_says_nothing_of_the_values(room, tables, rng) -> None:
    transcripts = []
    for keep in (0, 2**64 - 1):
        plane = np.full((1, 2), keep, dtype=np.uint64)
        room.run(compact, tables.split(tables.make(100, 8, 1)), split_bits(plane))
        transcripts.append(room.transcript.rounds)
    assert transcripts[0] == transcripts[1]


def test_what_is_opened_doesnt_depend_on_the_destinations(room, tables) -> None:
    """Under equal keys two placements open permutations that differ by a fixed relabelling."""
    n, opened = 40, []
    for destination in (np.arange(n), np.arange(n)[::-1]):
        shares = split_arith(destination.astype(np.uint64))
        results = room.run(place, tables.split(tables.make(n, 0, 0)), shares, seed=b"equal")
        opened.append(results[0][1].opened)
    np.testing.assert_array_equal(opened[0], n - 1 - opened[1])
    assert not np.array_equal(opened[0], np.arange(n))
