"""Cases of single gates and of rows that move: and, multiply, comparisons, shuffle, sort, merge."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal, less_than
from protocols.rep3.merge import merge
from protocols.rep3.multiply import multiply
from protocols.rep3.rows import Rows, no_bits, no_sums
from protocols.rep3.share import Arith, Bits, join_arith, join_bits
from protocols.rep3.shuffle import shuffle
from protocols.rep3.slices import from_planes, to_planes
from protocols.rep3.sort import sort
from protocols.rounds import U64, Steps

BATCH = 1 << 26  # AND gates of one message: 2^20 words
_PLANES = 64


def and_(n: int, rng: np.random.Generator) -> Case:
    """AND n pairs of bits, 2^20 words at a time."""
    w = -(-min(n, BATCH) // (64 * _PLANES))
    batches = -(-n // BATCH)
    x, y = random_words(rng, _PLANES, w), random_words(rng, _PLANES, w)

    def step(ctx: Context, given: tuple[int, Bits, Bits]) -> Steps[Bits]:
        for batch in range(given[0]):
            z = yield from and_bits(ctx.at(f"{batch}"), *given[1:])
        return z

    def plaintext() -> U64:
        for _ in range(batches):
            z: U64 = x & y
        return z

    inputs = tuple(zip([batches] * 3, split(Bits, x), split(Bits, y), strict=True))
    return Case(_three(inputs), step, plaintext, _equal_bits)


def multiply_(n: int, rng: np.random.Generator) -> Case:
    """Multiply n pairs of 64-bit integers."""
    x, y = random_words(rng, n), random_words(rng, n)
    inputs = _pairs(split(Arith, x), split(Arith, y))
    return Case(
        inputs,
        lambda ctx, pair: multiply(ctx, *pair),
        lambda: x * y,
        lambda parts, expected: np.array_equal(join_arith(parts), expected),
    )


def less_than_(n: int, rng: np.random.Generator) -> Case:
    """Compare n pairs of 64-bit integers: a < b."""
    a, b = random_words(rng, n), random_words(rng, n)
    return Case(
        _pairs(split(Bits, to_planes(a, 64)), split(Bits, to_planes(b, 64))),
        lambda ctx, pair: less_than(ctx, *pair),
        lambda: a < b,
        _equal_flags,
    )


def equality(n: int, rng: np.random.Generator) -> Case:
    """Compare n pairs of 64-bit integers: a = b, which half of them are."""
    a = random_words(rng, n)
    b = a ^ (random_words(rng, n) & np.uint64(1))
    return Case(
        _pairs(split(Bits, to_planes(a, 64)), split(Bits, to_planes(b, 64))),
        lambda ctx, pair: equal(ctx, *pair),
        lambda: a == b,
        _equal_flags,
    )


def shuffle_(n: int, rng: np.random.Generator) -> Case:
    """Shuffle n rows of 8 bytes."""
    values = random_words(rng, n)
    sums = split(Arith, values.reshape(1, n))
    inputs = tuple(Rows(n, no_bits(n), share) for share in sums)

    def correct(parts: Sequence[Any], expected: U64) -> bool:
        got = join_arith([rows.sums for rows, _ in parts])[0]
        moved = n < 100 or not np.array_equal(got, values)
        return moved and np.array_equal(np.sort(got), np.sort(expected))

    return Case(_three(inputs), shuffle, lambda: values[rng.permutation(n)], correct)


def sort_(n: int, rng: np.random.Generator) -> Case:
    """Sort n arbitrary 64-bit keys, stably, with no further columns."""
    keys = random_words(rng, n)
    rows = [Rows(n, no_bits(n), no_sums(n))] * 3
    inputs = _pairs(rows, split(Bits, to_planes(keys, 64)))

    def step(ctx: Context, given: tuple[Rows, Bits]) -> Steps[Bits]:
        _, in_order = yield from sort(ctx, *given)
        return in_order

    return Case(inputs, step, lambda: np.sort(keys, kind="stable"), _equal_numbers)


def merge_(n: int, rng: np.random.Generator) -> Case:
    """Merge two presorted lists of n 64-bit keys each, with no further columns."""
    a, b = np.sort(random_words(rng, n)), np.sort(random_words(rng, n))
    rows = [Rows(n, no_bits(n), no_sums(n))] * 3
    first, second = split(Bits, to_planes(a, 64)), split(Bits, to_planes(b, 64))
    inputs = _three(tuple(zip(rows, first, rows, second, strict=True)))

    def step(ctx: Context, given: tuple[Rows, Bits, Rows, Bits]) -> Steps[Bits]:
        _, in_order, _ = yield from merge(ctx, *given)
        return in_order

    def plaintext() -> U64:
        return np.sort(np.concatenate([a, b]), kind="stable")

    return Case(inputs, step, plaintext, _equal_numbers)


def _equal_bits(parts: Sequence[Bits], expected: U64) -> bool:
    return np.array_equal(join_bits(parts), expected)


def _equal_flags(parts: Sequence[Bits], expected: Any) -> bool:
    return np.array_equal(from_planes(join_bits(parts), expected.size), expected)


def _equal_numbers(parts: Sequence[Bits], expected: U64) -> bool:
    return np.array_equal(from_planes(join_bits(parts), expected.size), expected)


def _pairs(x: Sequence[Any], y: Sequence[Any]) -> tuple[Any, Any, Any]:
    return _three(tuple(zip(x, y, strict=True)))


def _three(inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    first, second, third = inputs
    return first, second, third
