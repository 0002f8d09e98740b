"""Rows to planes and back, of any width."""

import numpy as np
import pytest

from protocols.plaintext import words as plain
from protocols.rep3.share import words_for
from protocols.rep3.slices import (
    bytes_to_planes,
    from_planes,
    planes_to_bytes,
    reversed_rows,
    rows_from_planes,
    to_planes,
)

SIZES = [0, 1, 63, 64, 65, 1000]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("bits", [1, 7, 8, 9, 63, 64])
def test_words_go_to_planes_and_back(rng, n: int, bits: int) -> None:
    x = rng.integers(0, 2**64, n, dtype=np.uint64)
    planes = to_planes(x, bits)
    np.testing.assert_array_equal(planes, plain.arith_to_bits(x, bits))
    low = x & np.uint64(2**bits - 1)
    np.testing.assert_array_equal(from_planes(planes, n), low)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("bits", [0, 1, 64, 65, 84, 128, 130])
def test_wide_rows_go_to_planes_and_back(rng, n: int, bits: int) -> None:
    x = rng.integers(0, 2**64, (n, words_for(bits)), dtype=np.uint64)
    if bits % 64:
        x[:, 0] &= np.uint64(2 ** (bits % 64) - 1)
    planes = to_planes(x, bits)
    assert planes.shape == (bits, words_for(n))
    np.testing.assert_array_equal(rows_from_planes(planes, n), x)
    rows = planes_to_bytes(planes, n)
    assert rows.shape == (n, -(-bits // 8))
    np.testing.assert_array_equal(bytes_to_planes(rows, bits), planes)


def test_the_first_word_holds_the_odd_bits() -> None:
    planes = to_planes(np.array([[1, 2**63]], dtype=np.uint64), 65)
    assert planes[:, 0].tolist() == [1, 1] + [0] * 63


def test_past_the_last_row_everything_is_zero() -> None:
    planes = np.full((3, 2), 2**64 - 1, dtype=np.uint64)
    again = bytes_to_planes(planes_to_bytes(planes, 65), 3)
    assert again.tolist() == [[2**64 - 1, 1]] * 3


def test_a_word_holds_at_most_64_planes() -> None:
    with pytest.raises(ValueError, match="65 planes"):
        from_planes(np.zeros((65, 1), dtype=np.uint64), 3)


@pytest.mark.parametrize("w", [0, 1, 3])
def test_rows_turn_round(rng, w: int) -> None:
    x = rng.integers(0, 2**64, 64 * w, dtype=np.uint64)
    np.testing.assert_array_equal(reversed_rows(to_planes(x, 64)), to_planes(x[::-1], 64))
