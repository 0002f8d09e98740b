"""Short integers: dot products, bits that become numbers, terms; against numpy's integers."""

import numpy as np
import pytest

from protocols.rep3.dots import left_factor, products, right_factor
from protocols.rep3.share import join_bits, split_bits
from protocols.rep3.short import KINDS, Short, bits_to_short, in_terms, weighed
from protocols.rep3.slices import to_planes
from protocols.rep3.terms import below_zero, excess
from protocols.rounds import Party, PeerMisbehaved

WIDTHS = [8, 16]


def numbers(rng, width: int, *shape: int) -> np.ndarray:
    return rng.integers(0, 1 << width, shape).astype(KINDS[width])


def additive(rng, x: np.ndarray) -> list[np.ndarray]:
    first, second = (numbers(rng, 8 * x.itemsize, *x.shape) for _ in range(2))
    return [first, second, x - first - second]


def replicated(parts: list[np.ndarray]) -> list[Short]:
    return [Short(parts[p], parts[p.next]) for p in Party]


def from_terms(found) -> np.ndarray:
    np.testing.assert_array_equal(found[1], found[2])
    return found[0] + found[1]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("d", [1, 64, 600])
def test_dot_products_are_exact_for_any_shares(rng, width: int, d: int) -> None:
    x, y = numbers(rng, width, d, 5), numbers(rng, width, d, 7)
    x[:, 0] = y[:, 0] = (1 << width) - 1
    halves = zip(*(replicated(additive(rng, one)) for one in (x, y)), strict=True)
    parts = [products(left_factor(a), right_factor(b)) for a, b in halves]
    want = (x.astype(np.int64).T @ y.astype(np.int64)).astype(x.dtype)
    np.testing.assert_array_equal(sum(parts[1:], parts[0]), want)


@pytest.mark.parametrize("width", WIDTHS)
def test_bits_become_numbers(room, rng, width: int) -> None:
    bits = rng.integers(0, 2**64, (3, 2), dtype=np.uint64)
    found = room.run(lambda c, x: bits_to_short(c, x, 100, width), split_bits(bits))
    for party in Party:
        np.testing.assert_array_equal(found[party].next, found[party.next].own)
    octets = np.unpackbits(bits.view(np.uint8), axis=1, count=100, bitorder="little")
    np.testing.assert_array_equal(found[0].own + found[1].own + found[2].own, octets)
    assert found[0].own.dtype == KINDS[width]
    assert room.cost() == (2, [8 * -(-300 * width // 64)] * 3)


@pytest.mark.parametrize("width", WIDTHS)
def test_weights_of_bits_are_added(room, rng, width: int) -> None:
    bits = rng.integers(0, 2**64, (3, 2), dtype=np.uint64)
    base = numbers(rng, width, 128)
    step = lambda c, x, z: weighed(c, x, [5, -7, 300], z)  # noqa: E731
    got = from_terms(room.run(step, split_bits(bits), additive(rng, base)))
    octets = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little").astype(np.int64)
    np.testing.assert_array_equal(got, (base + [5, -7, 300] @ octets).astype(base.dtype))
    assert room.cost() == (2, [128 * 3 * width // 8, 16 * width, 16 * width])


@pytest.mark.parametrize("width", WIDTHS)
def test_signs_and_excesses(room, rng, width: int) -> None:
    x = numbers(rng, width, 2, 128)
    x[0, :4] = [0, 1, 1 << (width - 1), (1 << width) - 1]
    terms = room.run(in_terms, additive(rng, x))
    np.testing.assert_array_equal(from_terms(terms), x)
    assert room.cost() == (1, [0, 32 * width, 32 * width])
    signed = x.view(f"i{x.itemsize}")
    found = join_bits(room.run(below_zero, terms))
    np.testing.assert_array_equal(
        np.unpackbits(found.view(np.uint8), axis=1, bitorder="little"), signed < 0
    )
    rows = [term[0] for term in terms]
    over = join_bits(room.run(lambda c, t: excess(c, t, width - 1), rows))
    above = np.maximum(signed[0], 0).astype(np.uint64)
    np.testing.assert_array_equal(over, to_planes(above, width - 1))


def test_what_is_seen_is_uniform(room) -> None:
    seen: dict[tuple[Party, Party, str], np.ndarray] = {}

    def watch(sender, receiver, gate, vector):
        seen[sender, receiver, gate] = vector
        return vector

    zeros = np.zeros((1, 1 << 16), dtype=np.uint8)
    terms = room.run(in_terms, [zeros] * 3, seed=b"seen", tamper=watch)
    bits = [s for s in split_bits(np.zeros((1, 1 << 10), dtype=np.uint64))]
    step = lambda c, x: weighed(c, x, [1], zeros[0])  # noqa: E731
    room.run(step, bits, seed=b"more", tamper=watch)
    room.run(below_zero, terms, seed=b"sign", tamper=watch)
    assert len(seen) > 8
    for vector in seen.values():
        counts = np.bincount(vector.view(np.uint8), minlength=256)
        expected = counts.sum() / 256
        assert ((counts - expected) ** 2 / expected).sum() < 400  # 255 degrees of freedom


@pytest.mark.parametrize("party", [Party.P1, Party.P2])
def test_a_vector_of_another_length_is_refused(room, party: Party) -> None:
    def cut(sender, receiver, gate, vector):
        return vector[:-1] if sender is party else vector

    with pytest.raises(PeerMisbehaved) as caught:
        room.run(in_terms, [np.zeros((1, 64), dtype=np.uint8)] * 3, tamper=cut)
    assert caught.value.suspects == {party}
