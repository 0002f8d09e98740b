"""Merging sorted lists of any two sizes."""

from math import ceil, log2

import numpy as np
import pytest

from protocols.plaintext import rows as plain
from protocols.plaintext.words import bits_to_arith
from protocols.rep3 import network_kernels
from protocols.rep3.merge import merge, merge_many
from protocols.rep3.network import pairs
from protocols.rep3.place import unplace
from protocols.rep3.share import join_bits, split_bits, words_for
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import U64

PAIRS = [(1, 1), (2, 2), (1, 64), (3, 4), (32, 32), (64, 64), (63, 65), (130, 7)]
PAIRS += [(128, 128), (448, 256)]


def ascending(rng: np.random.Generator, n: int, k: int, spread: int) -> U64:
    """Return sorted keys of k planes with many ties and both extremes, garbage past row n."""
    few = rng.integers(0, 2**64, spread, dtype=np.uint64)
    few[:2] = (0, 2**64 - 1)
    keys = np.sort(rng.choice(few, n) >> np.uint64(64 - k))
    planes = to_planes(keys, k)
    planes[:, -1] |= ~np.uint64(2 ** (n % 64 or 64) - 1)
    return planes


def check(tables, a, b, keys: tuple[U64, U64], results) -> None:
    """Compare with the twin, whose order among equal keys may differ."""
    n = a.n + b.n
    merged, key = tables.join(tuple(r[0] for r in results)), join_bits([r[1] for r in results])
    expected, expected_key = plain.merge(a, keys[0], b, keys[1])
    np.testing.assert_array_equal(key, expected_key)
    if a.sums.shape[0]:
        order = merged.sums[-1].astype(np.intp)
        assert sorted(order.tolist()) == list(range(n))
        back = plain.place(expected, expected.sums[-1])
        tables.same(merged, plain.take(back, order))


@pytest.mark.parametrize(("a_n", "b_n"), PAIRS)
@pytest.mark.parametrize(("k", "spread"), [(1, 2), (5, 4), (64, 9), (64, 500)])
def test_merge_agrees_with_its_twin(room, tables, rng, a_n: int, b_n: int, k, spread) -> None:
    a, b = tables.make(a_n, 3, 2), tables.make(b_n, 3, 2)
    b.sums[-1] += np.uint64(a_n)
    keys = ascending(rng, a_n, k, spread), ascending(rng, b_n, k, spread)
    shares = (tables.split(a), split_bits(keys[0]), tables.split(b), split_bits(keys[1]))
    results = room.run(merge, *shares)
    check(tables, a, b, keys, results)

    levels = (a_n + b_n - 1).bit_length()
    compared = k + ((a_n + b_n) % min(64, 1 << levels) != 0)
    assert room.cost()[0] == levels * (1 + ceil(log2(compared))) + 5

    merged, placed = tuple(r[0] for r in results), tuple(r[2] for r in results)
    back = tables.join(room.run(unplace, merged, placed))
    np.testing.assert_array_equal(back.sums[-1], np.arange(a_n + b_n))


def test_many_lists_merge_at_once(room, tables, rng) -> None:
    sizes, lists = [64, 200, 1, 130, 77], []
    for i, n in enumerate(sizes):
        rows = tables.make(n, 0, 1)
        rows.sums[0] += np.uint64(sum(sizes[:i]))
        lists.append((rows, ascending(rng, n, 20, 300)))
    shares = [(tables.split(rows), split_bits(key)) for rows, key in lists]
    given = [[(rows[p], key[p]) for rows, key in shares] for p in range(3)]
    results = room.run(merge_many, given)
    keys = np.concatenate([from_planes(key, rows.n) for rows, key in lists])
    merged = tables.join(tuple(r[0] for r in results)).sums[0].astype(np.intp)
    np.testing.assert_array_equal(keys[merged], np.sort(keys))
    np.testing.assert_array_equal(np.sort(merged), np.arange(sum(sizes)))
    got = from_planes(join_bits([r[1] for r in results]), sum(sizes))
    np.testing.assert_array_equal(got, np.sort(keys))


@pytest.mark.parametrize("w", [1, 2, 3, 5, 9, 13, 24, 40, 61])
@pytest.mark.parametrize("distance", [1, 32, 64, 128, 512, 1024])
def test_pairs_meet_as_their_distance_says(rng, w: int, distance: int) -> None:
    rows = rng.integers(0, 2**20, 64 * w, dtype=np.uint64)
    low, other = np.empty((2, 20, pairs(w, distance)), dtype=np.uint64)
    network_kernels.apart(to_planes(rows, 20), distance, low, other)
    lower = np.flatnonzero(np.arange(64 * w) & distance == 0)
    lower = lower[lower + distance < 64 * w]
    count = 64 * low.shape[1]
    found = sorted(zip(from_planes(low, count), from_planes(low ^ other, count), strict=True))
    padding = [(np.uint64(0),) * 2] * (count - lower.size)
    expected = zip(rows[lower], rows[lower + distance], strict=True)
    assert found == sorted([*expected, *padding])

    change = rng.integers(0, 2**64, low.shape, dtype=np.uint64)
    out, back = np.empty((2, 20, w), dtype=np.uint64)
    after, same = np.empty((2, *low.shape), dtype=np.uint64)
    network_kernels.together(to_planes(rows, 20), change, distance, out)
    network_kernels.apart(out, distance, after, same)
    if w % 2 == 0 or distance >= 64:  # else changes of the missing word are lost
        np.testing.assert_array_equal(after, low ^ change)
        np.testing.assert_array_equal(same, other)
    network_kernels.together(out, change, distance, back)
    np.testing.assert_array_equal(from_planes(back, 64 * w), rows)


def test_merge_costs_what_it_says(room, tables, rng, gates) -> None:
    n, k = 256, 20
    a, b = tables.make(n, 0, 0), tables.make(n, 0, 0)
    keys = ascending(rng, n, k, 50), ascending(rng, n, k, 50)
    room.run(merge, tables.split(a), split_bits(keys[0]), tables.split(b), split_bits(keys[1]))
    levels, words = 9, words_for(2 * n)
    network = levels * words // 2 * 8 * (gates(k) + k + levels)
    numbers, opened = 2 * n * 2, 8 * levels * words + 32
    rest = numbers + opened
    assert room.cost()[1] == [network + rest + numbers, network + rest, network + rest]
    assert network <= 2 * n * levels * (2.5 * k + levels) / 16


def test_keys_of_all_ones_come_before_filler(room, tables) -> None:
    a, b = tables.make(2, 0, 1), tables.make(3, 0, 1)
    ones = np.full((4, 1), 2**64 - 1, dtype=np.uint64)
    shares = (tables.split(a), split_bits(ones), tables.split(b), split_bits(ones))
    results = room.run(merge, *shares)
    key = join_bits([r[1] for r in results])
    np.testing.assert_array_equal(bits_to_arith(key, 5), 1)
    merged = tables.join(tuple(r[0] for r in results))
    assert sorted(merged.sums[0].tolist()) == [0, 0, 1, 1, 2]


def test_what_doesnt_fit_is_refused(room, tables) -> None:
    key = split_bits(np.zeros((2, 1), dtype=np.uint64))
    two, wide = tables.split(tables.make(2, 1, 1)), tables.split(tables.make(2, 2, 1))
    empty = tables.split(tables.make(0, 1, 1))
    none = split_bits(np.zeros((2, 0), dtype=np.uint64))
    with pytest.raises(ValueError, match="columns differ"):
        room.run(merge, two, key, wide, key)
    with pytest.raises(ValueError, match="empty"):
        room.run(merge, two, key, empty, none)
    with pytest.raises(ValueError, match="doesn't fit"):
        room.run(merge, two, none, two, key)


def test_a_tampered_opening_names_the_cheat(room, tables, rng) -> None:
    rows = tables.split(tables.make(4, 1, 1))
    key = split_bits(ascending(rng, 4, 3, 5))
    assert room.catch(merge, rows, key, rows, key, gates="open") == 6


def test_the_transcript_says_nothing_of_the_values(room, tables, rng) -> None:
    transcripts = []
    for spread in (2, 100):
        keys = [split_bits(ascending(rng, n, 30, spread)) for n in (70, 50)]
        rows = [tables.split(tables.make(n, 4, 1)) for n in (70, 50)]
        room.run(merge, rows[0], keys[0], rows[1], keys[1])
        transcripts.append(room.transcript.rounds)
    assert transcripts[0] == transcripts[1]
