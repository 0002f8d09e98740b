"""Multiplication, AND, opening and set-up: right answers, exact cost, refusal of tampering."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import plaintext
from protocols.context import Context
from protocols.plaintext import words as plain
from protocols.randomness import GateReused
from protocols.rep3.and_bits import and_bits, and_pairs
from protocols.rep3.multiply import multiply
from protocols.rep3.reveal import reveal, reveal_bits
from protocols.rep3.setup import agree
from protocols.rep3.share import Bits, join_arith, join_bits, split_arith, split_bits
from protocols.rounds import U64, Gate, Party, PeerMisbehaved
from protocols.simulate import Transcript, contexts, simulate

SIZES = [0, 1, 63, 64, 65, 1000]
EDGES = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], dtype=np.uint64)


def words(rng: np.random.Generator, *shape: int) -> U64:
    return rng.integers(0, 2**64, shape, dtype=np.uint64)


def test_the_twins_say_that_they_protect_nothing() -> None:
    assert "INSECURE" in (plaintext.__doc__ or "")


@pytest.mark.parametrize("n", SIZES)
def test_multiply_agrees_with_its_twin(room, rng, n: int) -> None:
    x, y = words(rng, n), words(rng, n)
    product = room.run(multiply, split_arith(x), split_arith(y))
    np.testing.assert_array_equal(join_arith(product), plain.multiply(x, y))
    assert room.cost() == (1, [8 * n] * 3)


def test_multiply_keeps_the_shape_and_the_extremes(room) -> None:
    x, y = np.meshgrid(EDGES, EDGES)
    product = room.run(multiply, split_arith(x), split_arith(y))
    np.testing.assert_array_equal(join_arith(product), x * y)


def test_multiply_refuses_unequal_shapes(room, rng) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        room.run(multiply, split_arith(words(rng, 2)), split_arith(words(rng, 3)))


@pytest.mark.parametrize("kx", [1, 5])
@pytest.mark.parametrize("ky", [1, 5])
@pytest.mark.parametrize("w", [1, 3, 9000])
def test_and_bits_agrees_with_its_twin(room, rng, kx: int, ky: int, w: int) -> None:
    x, y = words(rng, kx, w), words(rng, ky, w)
    both = room.run(and_bits, split_bits(x), split_bits(y))
    np.testing.assert_array_equal(join_bits(both), plain.and_bits(x, y))
    assert room.cost() == (1, [8 * max(kx, ky) * w] * 3)


def test_and_bits_refuses_shapes_that_dont_fit(room, rng) -> None:
    with pytest.raises(ValueError, match="don't fit"):
        room.run(and_bits, split_bits(words(rng, 2, 1)), split_bits(words(rng, 3, 1)))


def test_and_pairs_is_one_message(room, rng) -> None:
    values = [words(rng, 2, 4), words(rng, 1, 4), words(rng, 0, 4), words(rng, 0, 4)]

    def two(ctx: Context, a: Bits, b: Bits, c: Bits, d: Bits):
        return and_pairs(ctx, ((a, b), (c, d)))

    results = room.run(two, *(split_bits(v) for v in values))
    np.testing.assert_array_equal(join_bits([r[0] for r in results]), values[0] & values[1])
    assert results[0][1].shape == (0, 4)
    assert room.cost() == (1, [64] * 3)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=70))
def test_reveal_opens_to_all(values: list[int]) -> None:
    x = np.array(values, dtype=np.uint64)
    three, shares, log = contexts(b"reveal"), split_arith(x), Transcript()
    for opened in simulate([reveal(c, shares[c.me]) for c in three], transcript=log):
        np.testing.assert_array_equal(opened, x)
    assert log.bytes_sent(Party.P0) == 8 * x.size + 32


def test_reveal_bits_opens_planes(room, rng) -> None:
    x = words(rng, 3, 2)
    for opened in room.run(reveal_bits, split_bits(x)):
        np.testing.assert_array_equal(opened, x)
    assert room.cost() == (1, [8 * 6 + 32] * 3)


def test_a_tampered_opening_names_the_cheat(room, rng) -> None:
    assert room.catch(reveal, split_arith(words(rng, 5))) == 6
    assert room.catch(reveal_bits, split_bits(words(rng, 2, 5))) == 6


def test_a_short_opening_names_its_sender(room, rng) -> None:
    def cut(sender: Party, receiver: Party, gate: Gate, vector: U64) -> U64:
        return vector[:-1] if sender is Party.P1 and "part" in gate else vector

    with pytest.raises(PeerMisbehaved) as caught:
        room.run(reveal, split_arith(words(rng, 5)), tamper=cut)
    assert caught.value.suspects == {Party.P1}


def test_a_gate_multiplies_once(rng) -> None:
    x = split_arith(words(rng, 3))
    ctx = contexts(b"once")[0]
    next(multiply(ctx, x[0], x[0]))
    with pytest.raises(GateReused):
        next(multiply(ctx, x[0], x[0]))


def test_masks_hide_equal_inputs(rng) -> None:
    """Two gates over the same shares send unrelated words."""
    x, ctx = split_arith(np.zeros(100, dtype=np.uint64)), contexts(b"mask")[0]
    sent = [next(multiply(ctx.at(step), x[0], x[0])).send for step in ("a", "b")]
    first, second = (next(iter(s.values())) for s in sent)
    assert not np.any(first == second)


def test_setup_gives_matching_keys() -> None:
    seeds = [bytes([p]) * 32 for p in Party]
    log = Transcript()
    prss = simulate([agree(p, seeds[p], b"plan") for p in Party], transcript=log)
    zeros = [p.zero(Gate("z"), 50) for p in prss]
    np.testing.assert_array_equal(zeros[0] + zeros[1] + zeros[2], 0)
    assert [log.bytes_sent(p) for p in Party] == [96] * 3
    other = simulate([agree(p, seeds[p], b"another") for p in Party])
    assert {p.key_own for p in other}.isdisjoint(p.key_own for p in prss)


@pytest.mark.parametrize("cheat", Party)
def test_setup_names_the_party_of_another_plan(cheat: Party) -> None:
    bindings = [b"other" if p is cheat else b"plan" for p in Party]
    for honest in (cheat.next, cheat.prev):
        step = agree(honest, bytes(32), bindings[honest])
        others = [p for p in Party if p is not honest]
        sent = {p: next(agree(p, bytes(32), bindings[p])).send for p in others}
        awaited = next(step).await_from
        inbox = {(p, gate): sent[p][honest, gate] for p, gate in awaited}
        with pytest.raises(PeerMisbehaved) as caught:
            step.send(inbox)
        assert caught.value.suspects == {cheat}


def test_setup_refuses_a_short_seed() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        next(agree(Party.P0, bytes(16), b"plan"))
