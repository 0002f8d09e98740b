"""F90: what is sent has one length for secrets of one shape; checking a seal takes one time."""

import math
import secrets
import time
from collections.abc import Callable

import numpy as np
from ciphertexts import pair_secrets

from cleanroom.storage.secret import Place, SealBroken, Secret
from protocols.he.bfv import Encryptor, SecretKey
from protocols.he.contribution import contribute
from protocols.he.parameters import SUM
from protocols.rep3.compare import less_than
from protocols.rep3.multiply import multiply
from protocols.rep3.share import split_arith, split_bits
from protocols.simulate import Transcript, contexts, simulate

SECRETS = 50
RUNS = 100_000  # of both kinds together
T_LIMIT = 4.5


def test_three_parties_send_the_same_for_fifty_secrets() -> None:
    rng, seen = np.random.default_rng(90), set()
    for _ in range(SECRETS):
        x, y = rng.integers(0, 2 ** int(rng.integers(1, 64)), (2, 100), dtype=np.uint64)
        a, b = rng.integers(0, 2 ** int(rng.integers(1, 64)), (2, 20, 2), dtype=np.uint64)
        transcript = Transcript()
        ctx = contexts(secrets.token_bytes(8))
        for step, split, left, right in (
            (multiply, split_arith, x, y),
            (less_than, split_bits, a, b),
        ):
            parts = zip(ctx, split(left), split(right), strict=True)
            simulate([step(*part) for part in parts], transcript=transcript)
        seen.add(tuple(transcript.rounds))
    assert len(seen) == 1


def test_an_owner_encrypts_fifty_secrets_into_one_length_but_for_compression() -> None:
    rng, key = np.random.default_rng(91), SecretKey(SUM)
    encryptor, shared = Encryptor(key.public), pair_secrets("abc")["a"]
    lengths = []
    for run in range(SECRETS):
        cells = rng.integers(0, 2 ** (run % 40), 100)  # the first are zeros
        made = contribute(encryptor, cells, 2**50, "a", shared, f"run {run}", b"s" * 32)
        lengths.append(sum(map(len, made)))
    # Ciphertexts are uniform words, compressed: lengths differ as those of random bytes do.
    assert max(lengths) - min(lengths) < min(lengths) / 1000


def _t(check: Callable[[int], None]) -> float:
    """Return Welch's t of two kinds of wrong tags, slow outliers cut off as dudect does."""
    rng = np.random.default_rng(92)
    kinds = rng.integers(0, 2, RUNS)
    took = np.empty(RUNS)
    for run, kind in enumerate(kinds):
        began = time.perf_counter_ns()
        check(int(kind))
        took[run] = time.perf_counter_ns() - began
    kept = took < np.quantile(took, 0.9)
    first, second = (took[kept & (kinds == kind)] for kind in (0, 1))
    return float(
        (first.mean() - second.mean())
        / math.sqrt(first.var() / first.size + second.var() / second.size)
    )


def _differs(check: Callable[[int], None]) -> bool:
    """Whether times differ each time they are taken: noise of a busy machine does now and then."""
    return all(abs(_t(check)) >= T_LIMIT for _ in range(3))


def test_a_seal_is_checked_in_one_time_wherever_it_is_wrong() -> None:
    key, place = Secret.new(), Place("room", b"table", b"row", "column", 1)
    sealed = key.seal(bytes(64), place)
    first, last = bytearray(sealed), bytearray(sealed)
    first[-16] ^= 1
    last[-1] ^= 1
    wrong = bytes(first), bytes(last)

    def check(kind: int) -> None:
        try:
            key.unseal(wrong[kind], place)
        except SealBroken:
            return
        raise AssertionError("a wrong seal opened")

    assert not _differs(check)


def test_a_comparison_that_stops_early_is_noticed() -> None:
    tag, wrong = bytes(64), (b"\1" + bytes(63), bytes(63) + b"\1")

    def stops_early(kind: int) -> None:
        for one, other in zip(tag, wrong[kind], strict=True):
            if one != other:
                return

    assert _differs(stops_early)
