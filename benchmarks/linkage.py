"""The case of linking persons of two owners by a ladder of composite keys."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.plaintext.ladder import ladder as plain_ladder
from protocols.rep3.ladder import Linked, ladder
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Bits, join_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import U64, Party, Steps

RUNGS = 10
SIZES = {"link_ladder": (1 << 13, 1 << 16)}
_ID_BITS = 32
_ERRORS, _UNKNOWN, _SHARED_KEY = 0.2, 0.05, 0.02
Pairs: TypeAlias = set[tuple[int, int, int]]
Known: TypeAlias = NDArray[np.bool_]


def link_ladder(n: int, rng: np.random.Generator) -> Case:
    """Link n rows with n rows of the same persons by 10 keys of 64 bits, many of them unlike.

    Each key is wrong on either side in a fifth of the rows, and in some NULL or another person's.
    """
    keys = random_words(rng, RUNGS, n)
    order = rng.permutation(n)
    sides = [_damaged(rng, keys), _damaged(rng, keys[:, order])]
    shares = [_shared(*side) for side in sides]
    names, ranks = ([f"{column}_{i}" for i in range(RUNGS)] for column in ("key", "rank"))

    def step(ctx: Context, owned: tuple[Relation, Relation]) -> Steps[Linked]:
        return ladder(ctx, *owned, names, ranks)

    def plaintext() -> Pairs:
        left, right = ((list(values), list(known)) for values, known in sides)
        return _as_set(*plain_ladder(left, right))

    first, second, third = zip(*shares, strict=True)
    return Case((first, second, third), step, plaintext, _same_pairs)


def _damaged(rng: np.random.Generator, keys: U64) -> tuple[U64, Known]:
    """Return keys with errors, and which of them are known."""
    others = keys[:, rng.permutation(keys.shape[1])]
    shared = np.where(rng.random(keys.shape) < _SHARED_KEY, others, keys)
    wrong = random_words(rng, *keys.shape)
    values = np.where(rng.random(keys.shape) < _ERRORS, wrong, shared)
    return values, rng.random(keys.shape) >= _UNKNOWN


def _shared(values: U64, known: Known) -> tuple[Relation, ...]:
    """Split a side's rows, numbered by their ids, padded to a multiple of 64."""
    keys, n = values.shape
    rows = -(-n // 64) * 64

    def planes(numbers: U64, bits: int) -> U64:
        return to_planes(np.pad(numbers, (0, rows - n)), bits)

    numbers = np.arange(n, dtype=np.uint64)
    valid = split(Bits, planes(np.ones(n, dtype=np.uint64), 1))
    columns = {"id": (split(Bits, planes(numbers, _ID_BITS)), False)}
    for i in range(keys):
        null = planes((~known[i]).astype(np.uint64), 1)
        value = planes(np.where(known[i], values[i], np.uint64(0)), 64)
        columns[f"key_{i}"] = split(Bits, np.concatenate([null, value])), True
        rank = np.argsort(np.lexsort([values[i] * known[i], ~known[i]])).astype(np.uint64)
        columns[f"rank_{i}"] = split(Bits, planes(rank, _ID_BITS)), False
    return tuple(
        Relation(rows, valid[p], {c: Column(x[p], null) for c, (x, null) in columns.items()}, {})
        for p in Party
    )


def _as_set(*columns: Any) -> Pairs:
    return set(zip(*(column.tolist() for column in columns), strict=True))


def _same_pairs(parts: Sequence[Linked], expected: Pairs) -> bool:
    pairs = [part.pairs for part in parts]
    there = from_planes(join_bits([p.valid for p in pairs]), pairs[0].n).astype(bool)
    found = [
        from_planes(join_bits([p.columns[name].planes for p in pairs]), pairs[0].n)[there]
        for name in ("left", "right", "rung")
    ]
    return _as_set(*found) == expected and int(there.sum()) == len(expected)
