"""Fixed-point numbers, their logistic function and inverse roots, against floating point."""

import numpy as np
import pytest

from protocols.plaintext import regression as plain
from protocols.rep3 import sigmoid as logistic
from protocols.rep3.fixed import cross, matrix, rescale, reshare
from protocols.rep3.inverse_root import IN_BITS, OUT_BITS, inverse_root
from protocols.rep3.share import join_arith, split_arith
from protocols.rounds import Gate, Party, PeerMisbehaved

SIGNED = np.int64


def words(values: np.ndarray) -> np.ndarray:
    return np.asarray(values).astype(SIGNED).view(np.uint64)


@pytest.mark.parametrize("bits", [1, 20, 62])
def test_rescaling_rounds_to_a_neighbour_whatever_the_value(room, rng, bits: int) -> None:
    x = rng.integers(-(2**62), 2**62, 2000) >> rng.integers(0, 62, 2000)
    x[:4] = [0, -1, 2**62 - 1, -(2**62)]
    found = room.run(lambda c, s: rescale(c, s.own, bits), split_arith(words(x)))
    off = join_arith(found).view(SIGNED) - (x >> bits)
    assert set(np.unique(off)) <= {0, 1}
    n = x.size
    assert room.cost() == (2, [32 * n, 16 * n, 16 * n])


def test_rounding_at_random_is_right_in_the_mean(room) -> None:
    shares = split_arith(np.full(40_000, 3, dtype=np.uint64))  # 3/8
    found = room.run(lambda c, s: rescale(c, s.own, 3), shares, seed=b"mean")
    assert abs(join_arith(found).mean() - 3 / 8) < 5 * 0.5 / 200


def test_what_is_seen_while_rescaling_is_uniform(room) -> None:
    seen: dict[tuple[Party, Party], list[np.ndarray]] = {}

    def watch(sender: Party, receiver: Party, gate: Gate, vector: np.ndarray) -> np.ndarray:
        seen.setdefault((sender, receiver), []).append(vector)
        return vector

    zeros = split_arith(np.zeros(4096, dtype=np.uint64))
    room.run(lambda c, s: rescale(c, s.own, 20), zeros, seed=b"seen", tamper=watch)
    for vectors in seen.values():
        octets = np.concatenate(vectors).view(np.uint8)
        counts = np.bincount(octets, minlength=256)
        expected = octets.size / 256
        assert ((counts - expected) ** 2 / expected).sum() < 400  # 255 degrees of freedom


def test_a_matrix_product_sends_its_result_alone(room, rng) -> None:
    x, y = words(rng.integers(-99, 99, (3, 500))), words(rng.integers(-99, 99, (4, 500)))
    step = lambda c, a, b: reshare(c, cross(matrix, a, b))  # noqa: E731
    found = room.run(step, split_arith(x), split_arith(y))
    np.testing.assert_array_equal(join_arith(found), x @ y.T)
    assert room.cost() == (1, [8 * 12] * 3)


def test_a_vector_of_another_length_is_refused(room) -> None:
    def cut(sender: Party, receiver: Party, gate: Gate, vector: np.ndarray) -> np.ndarray:
        return vector[:-1] if sender is Party.P0 else vector

    shares = split_arith(np.zeros(64, dtype=np.uint64))
    with pytest.raises(PeerMisbehaved) as caught:
        room.run(lambda c, s: rescale(c, s.own, 20), shares, tamper=cut)
    assert caught.value.suspects == {Party.P0}


def test_sigmoid_agrees_with_its_twin_for_numbers_of_any_size(room) -> None:
    z = np.append(np.linspace(-20, 20, 20_001), [-9e4, 9e4])
    scaled = z * 2**logistic.Z_BITS * logistic.STRETCH_OVER / logistic.STRETCH_UNDER
    found = room.run(logistic.sigmoid, split_arith(words(np.rint(scaled))), seed=b"z")
    error = join_arith(found).view(SIGNED) / logistic.UNIT - plain.sigmoid(z)
    assert abs(error).max() < 0.003
    assert abs(np.convolve(error, np.ones(500) / 500, "valid")).max() < 0.0005
    rounds, n_bytes = room.cost()
    assert rounds == 9
    assert n_bytes[0] <= 190 * z.size
    assert max(n_bytes[1:]) <= 50 * z.size


def test_inverse_roots_agree_with_their_twin(room, rng) -> None:
    v = 2 ** rng.uniform(-22, 0, 60)
    v[:4] = [0, 2**-23, 1, 1.0001]
    found = room.run(inverse_root, split_arith(words(np.rint(v * 2**IN_BITS))))
    roots = join_arith(found).view(SIGNED) / 2**OUT_BITS
    np.testing.assert_allclose(roots, plain.inverse_root(v), rtol=2e-5)
    rounds, n_bytes = room.cost()
    assert rounds == 25
    assert max(n_bytes) <= 2800 * v.size
