"""Bits to integers and back, against plain numpy."""

from math import ceil, log2

import numpy as np
import pytest

from protocols.context import Context
from protocols.plaintext import words as plain
from protocols.rep3.convert import arith_to_bits, bits_to_arith, bits_to_number, is_zero, sign
from protocols.rep3.share import join_arith, join_bits, split_arith, split_bits, words_for
from protocols.rounds import U64

SIZES = [0, 1, 63, 64, 65, 500]


def numbers(rng: np.random.Generator, *shape: int) -> U64:
    """Return words of every magnitude, with the extremes among them."""
    x = rng.integers(0, 2**64, shape, dtype=np.uint64)
    x >>= rng.integers(0, 64, shape, dtype=np.uint64)
    x = np.where(rng.integers(0, 2, shape) == 0, x, -x)
    edges = np.array([0, 2**63, 2**63 - 1, 2**64 - 1], dtype=np.uint64)
    flat = x.reshape(-1)
    flat[: edges.size] = edges[: flat.size]
    return x


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("k", [0, 1, 3])
def test_bits_to_arith_agrees_with_its_twin(room, rng, n: int, k: int) -> None:
    x = rng.integers(0, 2**64, (k, words_for(n)), dtype=np.uint64)
    columns = room.run(lambda c, s: bits_to_arith(c, s, n), split_bits(x))
    np.testing.assert_array_equal(join_arith(columns), plain.bits_to_arith(x, n))
    assert room.cost() == (2, [8 * k * n] * 3)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("k", [1, 20, 64, 70])
def test_bits_to_number_agrees_with_its_twin(room, rng, n: int, k: int) -> None:
    x = rng.integers(0, 2**64, (k, words_for(n)), dtype=np.uint64)
    number = room.run(lambda c, s: bits_to_number(c, s, n), split_bits(x))
    np.testing.assert_array_equal(join_arith(number), plain.bits_to_number(x, n))
    assert room.cost() == (2, [8 * k * n, 8 * n, 8 * n])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", [1, 3])
def test_sign_agrees_with_its_twin(room, rng, gates, n: int, m: int) -> None:
    x = numbers(rng, m, n)
    signs = room.run(sign, split_arith(x))
    np.testing.assert_array_equal(join_bits(signs), plain.sign(x))
    words = m * words_for(n)
    assert gates(64) == 89
    assert room.cost() == (7, [8 * (64 + 89) * words, 8 * 89 * words, 8 * 89 * words])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("bits", "k"), [(1, 0), (5, 0), (5, 3), (64, 0)])
def test_is_zero_looks_at_low_bits_and_further_planes(room, rng, n: int, bits: int, k: int) -> None:
    x = rng.integers(0, 2, n, dtype=np.uint64) << rng.integers(0, 64, n, dtype=np.uint64)
    x *= rng.integers(0, 2, n, dtype=np.uint64) - np.uint64(1)
    further = np.bitwise_and.reduce(rng.integers(0, 2**64, (3, k, words_for(n)), dtype=np.uint64))
    planes = split_bits(further)
    zero = room.run(lambda c, s, p: is_zero(c, s, bits, p if k else None), split_arith(x), planes)
    expected = (x << np.uint64(64 - bits) == 0) & ~plain.bits_to_arith(further, n).any(axis=0)
    found = plain.bits_to_arith(join_bits(zero), n)[0]
    np.testing.assert_array_equal(found, expected)
    words, levels = words_for(n), ceil(log2(bits + k))
    sent = 8 * (bits + k - 1) * words
    assert room.cost() == (1 + levels, [sent + 8 * bits * words, sent, sent])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("bits", [1, 2, 3, 21, 63, 64])
def test_arith_to_bits_agrees_with_its_twin(room, rng, n: int, bits: int) -> None:
    x = numbers(rng, n)
    planes = room.run(lambda c, s: arith_to_bits(c, s, bits), split_arith(x))
    np.testing.assert_array_equal(join_bits(planes), plain.arith_to_bits(x, bits))
    assert room.cost()[0] == (1 if bits == 1 else 2 + ceil(log2(bits - 1)))
    assert room.cost()[1][1] <= 8 * words_for(n) * bits * (1 + log2(bits))


def test_there_and_back(room, rng) -> None:
    x = numbers(rng, 100)

    def both(ctx: Context, share):
        planes = yield from arith_to_bits(ctx.at("there"), share, 64)
        return (yield from bits_to_number(ctx.at("back"), planes, 100))

    np.testing.assert_array_equal(join_arith(room.run(both, split_arith(x))), x)


def test_the_transcript_says_nothing_of_the_values(room, rng) -> None:
    transcripts = []
    for x in (numbers(rng, 1, 70), np.zeros((1, 70), dtype=np.uint64)):
        room.run(sign, split_arith(x))
        transcripts.append(room.transcript.rounds)
    assert transcripts[0] == transcripts[1]
