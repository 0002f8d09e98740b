"""The case of scores that flow along payments: accounts and payments sorted once, two rounds."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.rep3.graph import SCORE_BITS, WEIGHT_BITS, arrange, propagate
from protocols.rep3.share import Arith, Bits, join_arith
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Steps

PAYMENTS_OF_AN_ACCOUNT, ROUNDS, DAMPING = 10, 2, Fraction(1, 2)
SIZES = {"propagate": (20_000, 200_000)}
_IDS, _SUSPECTS = 64, 0.03  # bits; the part of accounts that have a score
_SAME, _LEAST = 1e-4, 1e-6  # relative, down to this score
Floats: TypeAlias = NDArray[np.float64]
Given: TypeAlias = tuple[tuple[Bits, Bits, Bits, Bits, Arith], Arith]


def propagate_(n: int, rng: np.random.Generator) -> Case:
    """Let scores of n / 10 accounts flow along n payments twice; ids have 64 bits."""
    accounts = random_words(rng, max(n // PAYMENTS_OF_AN_ACCOUNT, 2))
    often = rng.zipf(1.5, accounts.size).clip(1, 100)  # some accounts pay a hundred times as often
    pays = rng.choice(accounts.size, n, p=often / often.sum())
    gets = rng.integers(0, accounts.size, n)
    amounts = rng.lognormal(6, 2, n)
    weights = amounts / np.bincount(gets, amounts)[gets]
    scores = rng.random(accounts.size) * (rng.random(accounts.size) < _SUSPECTS)
    source, target = accounts[pays], accounts[gets]

    def step(ctx: Context, given: Given) -> Steps[Arith]:
        graph = yield from arrange(ctx.at("arrange"), *given[0])
        return (yield from propagate(ctx.at("flow"), graph, given[1], DAMPING, ROUNDS))

    def plaintext() -> Floats:
        from scipy.sparse import csr_matrix

        order = np.argsort(accounts)
        ends = [order[np.searchsorted(accounts[order], ids)] for ids in (target, source)]
        matrix = csr_matrix((weights, tuple(ends)), shape=(accounts.size, accounts.size))
        found = scores
        for _ in range(ROUNDS):
            found = found / 2 + matrix @ found / 2
        return found

    there = np.ones(accounts.size, dtype=np.uint64)
    planes = [(accounts, _IDS), (there, 1), (source, _IDS), (target, _IDS)]
    bits = [split(Bits, to_planes(_padded(ids), width)) for ids, width in planes]
    fixed = [(weights, WEIGHT_BITS), (scores, SCORE_BITS)]
    weight, score = (split(Arith, _padded(np.rint(x * 2.0**f))) for x, f in fixed)
    first, second, third = (((*(one[p] for one in bits), weight[p]), score[p]) for p in range(3))
    return Case((first, second, third), step, plaintext, _close)


def _padded(values: NDArray[np.generic]) -> U64:
    whole: U64 = np.zeros(-(-values.size // 64) * 64, dtype=np.uint64)
    whole[: values.size] = values
    return whole


def _close(parts: Sequence[Arith], expected: Floats) -> bool:
    found = join_arith(parts).view(np.int64)[: expected.size] * 2.0**-SCORE_BITS
    return bool(np.all(np.abs(found - expected) <= _SAME * np.maximum(expected, _LEAST)))
