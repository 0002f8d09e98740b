"""The case of a probabilistic linkage: all pairs of records scored, best matches kept."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, split
from protocols.context import Context
from protocols.plaintext.linkage import Sets, best_matches, pair_scores
from protocols.rep3.relation import Column, Relation
from protocols.rep3.scoring import Field, Level, Scoring
from protocols.rep3.share import Bits, join_bits
from protocols.rep3.similar import matches
from protocols.rounds import U64, Party, Steps

SIZES = {"link_compare": (1 << 16, 1 << 20)}
_BIGRAMS, _DIGITS = 64, 10  # bits of a text, of a digit
_MISSING, _CHANGED = 0.05, 0.03
_HALF, _MOST, _ALL = Fraction(1, 2), Fraction(4, 5), Fraction(1)
# Weights in log2 units as expectation maximisation finds them on FEBRL's synthetic persons.
_TEXTS = {"given_name": 8, "surname": 8, "street": 10, "suburb": 10, "number": 6}
_NUMBERS = {"postcode": (4, 10), "born": (8, 15), "person": (7, 15)}
FIELDS = (
    *(Field(f, (Level(_HALF, 3), Level(_MOST, w)), -3, 32) for f, w in _TEXTS.items()),
    *(Field(f, (Level(_HALF, 1), Level(_ALL, w)), -4, k) for f, (k, w) in _NUMBERS.items()),
)


def link_compare(n: int, rng: np.random.Generator) -> Case:
    """Compare n pairs of records by eight fields of two levels, and keep mutual best matches."""
    side = max(64, math.isqrt(n) // 64 * 64)
    scoring = Scoring(FIELDS, 18, side)
    left = {field.column: _values(field, side, rng) for field in FIELDS}
    order = rng.permutation(side)
    right = {name: _changed(sets, order, rng) for name, sets in left.items()}
    first, second = _shared(left), _shared(right)

    def step(ctx: Context, sides: tuple[Relation, Relation]) -> Steps[Bits]:
        return matches(ctx, *sides, scoring)

    def plaintext() -> U64:
        found = best_matches(pair_scores(left, right, scoring), scoring.threshold)
        return _words(found)

    def correct(parts: Sequence[Bits], expected: U64) -> bool:
        return np.array_equal(join_bits(parts).reshape(side, -1), expected)

    a, b, c = zip(first, second, strict=True)
    return Case((a, b, c), step, plaintext, correct)


def _values(field: Field, n: int, rng: np.random.Generator) -> Sets:
    there = rng.random(n) >= _MISSING
    if field.column in _TEXTS:
        bits = rng.random((n, _BIGRAMS)) < 1 / 8
        bits[:, 0] = True
    else:
        digits = rng.integers(0, _DIGITS, (n, field.most))
        bits = np.eye(_DIGITS, dtype=bool)[digits].reshape(n, -1)
    return Sets(bits & there[:, None], there)


def _changed(sets: Sets, order: NDArray[np.int64], rng: np.random.Generator) -> Sets:
    """Return the same persons in another order, some values written in another way or missing."""
    bits, n = sets.bits[order], len(order)
    flipped = bits ^ (rng.random(bits.shape) < _CHANGED)
    there = sets.there[order] & (rng.random(n) >= _MISSING) & flipped.any(axis=1)
    changed = np.where((rng.random(n) < 1 / 4)[:, None], flipped, bits)
    return Sets(changed & there[:, None], there)


def _shared(side: dict[str, Sets]) -> list[Relation]:
    n = len(next(iter(side.values())).there)
    columns = {
        name: split(Bits, _words(np.vstack([~sets.there, sets.bits.T])))
        for name, sets in side.items()
    }
    valid = split(Bits, _words(np.ones((1, n), dtype=bool)))
    return [
        Relation(n, valid[p], {name: Column(c[p], True) for name, c in columns.items()}, {})
        for p in Party
    ]


def _words(flags: NDArray[np.bool_]) -> U64:
    octets = np.packbits(flags, axis=1, bitorder="little")
    return np.ascontiguousarray(octets).view(np.uint64)
