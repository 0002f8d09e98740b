"""Running a step at all three parties, on fresh keys, with its transcript."""

import secrets
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from protocols.plaintext.rows import PlainRows
from protocols.rep3.rows import Rows
from protocols.rep3.share import (
    Arith,
    Bits,
    join_arith,
    join_bits,
    split_arith,
    split_bits,
    words_for,
)
from protocols.rounds import PeerMisbehaved, Steps
from protocols.simulate import Tamper, Transcript, contexts, simulate

settings.register_profile("protocols", deadline=None, max_examples=25, print_blob=True)
settings.load_profile("protocols")

Step = Callable[..., Steps[Any]]


class Room:
    """Three parties in this process.

    Attributes:
        transcript: of the last run.
    """

    def __init__(self) -> None:
        self.transcript = Transcript()

    def run(
        self, step: Step, *shares: Any, seed: bytes | None = None, tamper: Tamper | None = None
    ) -> tuple[Any, ...]:
        """Run step(ctx, *that party's shares) at each party; `shares` are triples."""
        self.transcript = Transcript()
        three = contexts(seed or secrets.token_bytes(16))
        steps = [step(ctx, *(triple[ctx.me] for triple in shares)) for ctx in three]
        results = simulate(steps, tamper, self.transcript)
        check_copies(results)
        return results

    def cost(self) -> tuple[int, list[int]]:
        """Return rounds and bytes by party of the last run."""
        return len(self.transcript.rounds), [self.transcript.bytes_sent(p) for p in range(3)]

    def catch(self, step: Step, *shares: Any, gates: str = "", seed: bytes = b"tamper") -> int:
        """Tamper with each message whose gate contains `gates`; each must name the cheat.

        Returns:
            how many messages were tampered with.
        """
        self.run(step, *shares, seed=seed)
        sends = [send for sends in self.transcript.rounds for send in sends]
        targets = [(s, r, g) for s, r, g, n in sends if gates in g and n]
        for target in targets:

            def tamper(sender: Any, receiver: Any, gate: Any, vector: Any, t: Any = target) -> Any:
                if (sender, receiver, gate) != t:
                    return vector
                changed = vector.copy()
                changed[-1] ^= np.uint64(1)
                return changed

            with pytest.raises(PeerMisbehaved) as caught:
                self.run(step, *shares, seed=seed, tamper=tamper)
            assert target[0] in caught.value.suspects
        return len(targets)


def check_copies(results: Any) -> None:
    """Assert that neighbours hold the same parts of every share within `results`."""
    first = results[0]
    if isinstance(first, Arith | Bits):
        for i in range(3):
            np.testing.assert_array_equal(results[i].next, results[(i + 1) % 3].own)
    elif isinstance(first, tuple):
        for parts in zip(*results, strict=True):
            check_copies(parts)
    elif hasattr(first, "bits") and hasattr(first, "sums"):
        check_copies(tuple(r.bits for r in results))
        check_copies(tuple(r.sums for r in results))


def pick_first_gates(k: int) -> int:
    """Count AND gates a row: whether spans are alike, but for the lowest; the picks of low ones."""
    gates = 0
    while k > 1:
        half, k = k // 2, -(-k // 2)
        gates += k - 1 + half - k // 2
    return gates


class Tables:
    """Rows in the clear, made, split and joined."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def make(self, n: int, k: int, m: int) -> PlainRows:
        """Return random rows; the last integer column, if any, numbers them."""
        bits = self.rng.integers(0, 2**64, (k, words_for(n)), dtype=np.uint64)
        sums = self.rng.integers(0, 2**64, (m, n), dtype=np.uint64)
        sums[-1:] = np.arange(n)
        return PlainRows(n, bits, sums)

    def split(self, rows: PlainRows) -> tuple[Rows, ...]:
        halves = zip(split_bits(rows.bits), split_arith(rows.sums), strict=True)
        return tuple(Rows(rows.n, bits, sums) for bits, sums in halves)

    def join(self, shares: Any) -> PlainRows:
        """Put together what three parties hold."""
        bits = join_bits([s.bits for s in shares])
        return PlainRows(shares[0].n, bits, join_arith([s.sums for s in shares]))

    def same(self, got: PlainRows, expected: PlainRows) -> None:
        """Assert equality; bits past the last row must be zero in `got`."""
        past = np.uint64(2 ** (expected.n % 64 or 64) - 1)
        bits = expected.bits.copy()
        bits[:, -1:] &= past
        np.testing.assert_array_equal(got.bits, bits)
        np.testing.assert_array_equal(got.sums, expected.sums)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture(scope="session")
def gates() -> Callable[[int], int]:
    """Return the AND gates of a comparison of k planes that differ, or k - 1 that may be equal."""
    return pick_first_gates


@pytest.fixture(scope="session")
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def tables(rng: np.random.Generator) -> Tables:
    return Tables(rng)
