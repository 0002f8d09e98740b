"""The case of scores that flow along payments: accounts and payments sorted once, two rounds."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.rep3.adjacency import Edges
from protocols.rep3.flow import SCORE_BITS, propagate
from protocols.rep3.graph import WEIGHT_BITS, arrange_sorted
from protocols.rep3.share import Arith, Bits, join_arith
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Steps

OWNERS, PAYMENTS_OF_AN_ACCOUNT = 3, 10
ROUNDS, DAMPING = 2, Fraction(1, 2)
SIZES = {"propagate": (20_000, 200_000)}
_IDS, _SUSPECTS = 64, 0.03  # bits; the part of accounts that have a score
_SAME, _LEAST = 1e-4, 1e-6  # relative, down to this score
Floats: TypeAlias = NDArray[np.float64]
Given: TypeAlias = tuple[list[Bits], list[Edges], Arith]
_Number = TypeVar("_Number", np.float64, np.uint64)


def propagate_(n: int, rng: np.random.Generator) -> Case:
    """Let scores of n / 10 accounts at three owners flow along n payments twice; ids have 64 bits.

    A payment is held by the owner of its target. Owners sort what they share.
    """
    accounts = random_words(rng, max(n // PAYMENTS_OF_AN_ACCOUNT, OWNERS))
    often = rng.zipf(1.5, accounts.size).clip(1, 100)  # some accounts pay a hundred times as often
    pays = rng.choice(accounts.size, n, p=often / often.sum())
    gets = rng.integers(0, accounts.size, n)
    amounts = rng.lognormal(6, 2, n)
    weights = amounts / np.bincount(gets, amounts)[gets]
    scores = rng.random(accounts.size) * (rng.random(accounts.size) < _SUSPECTS)
    owned = [np.flatnonzero(np.arange(accounts.size) % OWNERS == owner) for owner in range(OWNERS)]
    owned = [mine[np.argsort(accounts[mine])] for mine in owned]
    held = [np.flatnonzero(gets % OWNERS == owner) for owner in range(OWNERS)]

    def step(ctx: Context, given: Given) -> Steps[Arith]:
        graph = yield from arrange_sorted(ctx.at("arrange"), given[0], given[1])
        return (yield from propagate(ctx.at("flow"), graph, given[2], DAMPING, ROUNDS))

    def plaintext() -> Floats:
        from scipy.sparse import csr_matrix

        order = np.argsort(accounts)
        ends = [order[np.searchsorted(accounts[order], accounts[ids])] for ids in (gets, pays)]
        matrix = csr_matrix((weights, tuple(ends)), shape=(accounts.size, accounts.size))
        found = scores
        for _ in range(ROUNDS):
            found = found / 2 + matrix @ found / 2
        return np.concatenate([_padded(found[mine]) for mine in owned])

    vertices = [_accounts(accounts[mine]) for mine in owned]
    edges = [_payments(accounts[pays[one]], accounts[gets[one]], weights[one]) for one in held]
    start = np.concatenate([_padded(scores[mine]) for mine in owned])
    shares = split(Arith, np.rint(start * 2.0**SCORE_BITS).astype(np.uint64))
    first, second, third = (
        ([one[p] for one in vertices], [one[p] for one in edges], shares[p]) for p in range(3)
    )
    return Case((first, second, third), step, plaintext, _close)


def _accounts(ids: U64) -> tuple[Bits, Bits, Bits]:
    there = to_planes(_padded(np.ones(ids.size, dtype=np.uint64)), 1)
    return split(Bits, np.concatenate([there, to_planes(_padded(ids), _IDS)]))


def _payments(source: U64, target: U64, weights: Floats) -> tuple[Edges, ...]:
    """Sort an owner's payments by source and share them."""
    order = np.argsort(source)
    place = np.argsort(np.argsort(target[order])).astype(np.uint64)
    fixed = np.rint(weights[order] * 2.0**WEIGHT_BITS).astype(np.uint64)
    planes = [(np.ones(order.size, dtype=np.uint64), 1), (source[order], _IDS)]
    planes.append((target[order], _IDS))
    bits = [split(Bits, to_planes(_padded(values), width)) for values, width in planes]
    sums = [split(Arith, _padded(values)) for values in (fixed, place)]
    return tuple(Edges(*(one[p] for one in bits), *(one[p] for one in sums)) for p in range(3))


def _padded(values: NDArray[_Number]) -> NDArray[_Number]:
    """Append zeros up to a multiple of 64."""
    return np.pad(values, (0, -values.size % 64))


def _close(parts: Sequence[Arith], expected: Floats) -> bool:
    found = join_arith(parts).view(np.int64) * 2.0**-SCORE_BITS
    return bool(np.all(np.abs(found - expected) <= _SAME * np.maximum(expected, _LEAST)))
