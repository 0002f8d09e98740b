"""The case of scores that flow along payments: accounts and payments sorted once, two rounds."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.rep3.adjacency import Edges, Part
from protocols.rep3.flow import SCORE_BITS, propagate
from protocols.rep3.graph import WEIGHT_BITS, arrange
from protocols.rep3.share import Arith, Bits, join_arith
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Steps

OWNERS, PAYMENTS_OF_AN_ACCOUNT = 3, 10
ROUNDS, DAMPING = 2, Fraction(1, 2)
SIZES = {"propagate": (20_000, 200_000)}
_IDS, _SUSPECTS = 64, 0.03  # bits; the part of accounts that have a score
_SAME, _LEAST = 1e-4, 1e-6  # relative, down to this score
Floats: TypeAlias = NDArray[np.float64]
Given: TypeAlias = tuple[list[Part], Arith]
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
        graph = yield from arrange(ctx.at("arrange"), given[0])
        return (yield from propagate(ctx.at("flow"), graph, given[1], DAMPING, ROUNDS))

    def plaintext() -> Floats:
        from scipy.sparse import csr_matrix

        order = np.argsort(accounts)
        ends = [order[np.searchsorted(accounts[order], accounts[ids])] for ids in (gets, pays)]
        matrix = csr_matrix((weights, tuple(ends)), shape=(accounts.size, accounts.size))
        found = scores
        for _ in range(ROUNDS):
            found = found / 2 + matrix @ found / 2
        return np.concatenate([_padded(found[mine]) for mine in owned])

    parts = [
        _part(accounts[mine], accounts[pays[one]], accounts[gets[one]], weights[one])
        for mine, one in zip(owned, held, strict=True)
    ]
    start = np.concatenate([_padded(scores[mine]) for mine in owned])
    shares = split(Arith, np.rint(start * 2.0**SCORE_BITS).astype(np.uint64))
    first, second, third = (([part[p] for part in parts], shares[p]) for p in range(3))
    return Case((first, second, third), step, plaintext, _close)


def _part(ids: U64, source: U64, target: U64, weights: Floats) -> tuple[Part, ...]:
    """Number an owner's accounts and the payments to them, sort these by source, and share."""
    order = np.argsort(source)
    rank = np.searchsorted(ids, target[order])
    places = np.argsort(np.argsort(rank)) + rank + 1
    before = np.searchsorted(np.sort(rank), np.arange(ids.size)) + np.arange(ids.size)
    fixed = np.rint(weights[order] * 2.0**WEIGHT_BITS)
    there, paid = _planes(np.ones(ids.size), 1), _planes(np.ones(order.size), 1)
    vertices = split(Bits, np.concatenate([there, _planes(ids, _IDS)]))
    bits = [split(Bits, planes) for planes in (paid, _planes(source[order], _IDS))]
    sums = [split(Arith, _padded(one.astype(np.uint64))) for one in (fixed, places, before)]
    return tuple(
        Part(vertices[p], sums[2][p], Edges(bits[0][p], bits[1][p], sums[0][p], sums[1][p]))
        for p in range(3)
    )


def _planes(values: NDArray[_Number], bits: int) -> U64:
    return to_planes(_padded(values).astype(np.uint64), bits)


def _padded(values: NDArray[_Number]) -> NDArray[_Number]:
    """Append zeros up to a multiple of 64."""
    return np.pad(values, (0, -values.size % 64))


def _close(parts: Sequence[Arith], expected: Floats) -> bool:
    found = join_arith(parts).view(np.int64) * 2.0**-SCORE_BITS
    return bool(np.all(np.abs(found - expected) <= _SAME * np.maximum(expected, _LEAST)))
