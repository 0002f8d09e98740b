"""Comparisons of planes of any width."""

from math import ceil, log2

import numpy as np
import pytest

from protocols.plaintext import words as plain
from protocols.rep3.compare import equal, equal_zero, less_than
from protocols.rep3.share import ONES, join_bits, split_bits
from protocols.rounds import U64

WIDTHS = [1, 2, 3, 5, 8, 31, 63, 64, 65, 84]


def pair(rng: np.random.Generator, k: int, w: int) -> tuple[U64, U64]:
    """Return two (k, w) arrays whose rows differ in few planes, often in none."""
    a = rng.integers(0, 2**64, (k, w), dtype=np.uint64)
    change = np.full((k, w), ONES)
    for _ in range(6 if k > 3 else 1):
        change &= rng.integers(0, 2**64, (k, w), dtype=np.uint64)
    return a, a ^ change


@pytest.mark.parametrize("k", WIDTHS)
def test_less_than_agrees_with_its_twin(room, rng, gates, k: int) -> None:
    a, b = pair(rng, k, 3)
    less = join_bits(room.run(less_than, split_bits(a), split_bits(b)))
    np.testing.assert_array_equal(less, plain.less_than(a, b))
    assert room.cost() == (ceil(log2(k + 1)), [8 * 3 * gates(k + 1)] * 3)
    assert gates(k + 1) <= 1.5 * k


@pytest.mark.parametrize("k", WIDTHS)
def test_equal_agrees_with_its_twin(room, rng, k: int) -> None:
    a, b = pair(rng, k, 2)
    same = join_bits(room.run(equal, split_bits(a), split_bits(b)))
    np.testing.assert_array_equal(same, plain.equal(a, b))
    assert room.cost() == (ceil(log2(k)), [8 * 2 * (k - 1)] * 3)
    zero = join_bits(room.run(equal_zero, split_bits(a & b)))
    np.testing.assert_array_equal(zero, plain.equal_zero(a & b))


def test_extremes(room) -> None:
    low, high = np.zeros((64, 1), dtype=np.uint64), np.full((64, 1), ONES)
    for a, b, expected in [(low, high, ONES), (high, low, 0), (high, high, 0), (low, low, 0)]:
        less = join_bits(room.run(less_than, split_bits(a), split_bits(b)))
        assert less[0, 0] == np.uint64(expected)


def test_nothing_equals_nothing(room) -> None:
    none = np.zeros((0, 2), dtype=np.uint64)
    same = join_bits(room.run(equal, split_bits(none), split_bits(none)))
    np.testing.assert_array_equal(same, np.full((1, 2), ONES))
    with pytest.raises(ValueError, match="can't compare"):
        room.run(less_than, split_bits(none), split_bits(none))


def test_the_transcript_says_nothing_of_the_values(room, rng) -> None:
    a, b = pair(rng, 20, 4)
    room.run(less_than, split_bits(a), split_bits(b))
    first = room.transcript.rounds
    room.run(less_than, split_bits(b), split_bits(b))
    assert room.transcript.rounds == first
