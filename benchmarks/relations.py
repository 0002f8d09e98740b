"""Cases of whole operators on tables of several owners: join, group_by, distinct."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.case import Case, random_words, split
from protocols.context import Context
from protocols.rep3.group import Grouping, group
from protocols.rep3.join import join_unique
from protocols.rep3.order import merge_all
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Arith, Bits, join_arith, join_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import Party, Steps

OWNERS = 3


def join(n: int, rng: np.random.Generator) -> Case:
    """Join n rows with n rows of unique keys; key and two payload columns of 64 bits a side."""
    pool = np.unique(random_words(rng, 2 * n))
    keys = rng.permutation(pool)[:n]
    left = pd.DataFrame({"k": rng.choice(pool, n), "a": random_words(rng, n)})
    left["b"] = random_words(rng, n)
    right = pd.DataFrame({"j": keys, "c": random_words(rng, n), "d": random_words(rng, n)})
    a, b = share(left, ("k", "a"), ("b",)), share(right, ("j", "c"), ("d",))

    def step(ctx: Context, sides: tuple[Relation, Relation]) -> Steps[Relation]:
        return join_unique(ctx, *sides, ("k",), ("j",))

    def plaintext() -> pd.DataFrame:
        return left.merge(right, left_on="k", right_on="j")[["k", "a", "b", "c", "d"]]

    first, second, third = zip(a, b, strict=True)
    return Case((first, second, third), step, plaintext, _same_rows)


def group_by(n: int, rng: np.random.Generator) -> Case:
    """Total and count (so average) n rows of three owners, a quarter as many distinct keys."""
    frame = _rows_of_owners(n, rng)
    parts = _parts(frame, ("k",), ("v", "one"))

    def step(ctx: Context, owned: Sequence[Relation]) -> Steps[Relation]:
        merged = yield from merge_all(ctx.at("merge"), owned, ("k",))
        what = Grouping(("k",), (), ("v", "one"), ())
        return (yield from group(ctx.at("group"), merged, what))

    def plaintext() -> pd.DataFrame:
        return frame.groupby("k", as_index=False)[["v", "one"]].sum()

    return Case(parts, step, plaintext, _same_rows)


def distinct(n: int, rng: np.random.Generator) -> Case:
    """Keep the distinct keys of n rows of three owners."""
    frame = _rows_of_owners(n, rng)[["k"]]
    parts = _parts(frame, ("k",), ())

    def step(ctx: Context, owned: Sequence[Relation]) -> Steps[Relation]:
        merged = yield from merge_all(ctx.at("merge"), owned, ("k",))
        return (yield from group(ctx.at("group"), merged, Grouping(("k",), (), (), ())))

    return Case(parts, step, lambda: frame.drop_duplicates(), _same_rows)


def _rows_of_owners(n: int, rng: np.random.Generator) -> pd.DataFrame:
    pool = random_words(rng, max(n // 4, 1))
    values = rng.integers(0, 2**32, n, dtype=np.uint64)
    one = np.ones(n, dtype=np.uint64)
    return pd.DataFrame({"k": rng.choice(pool, n), "v": values, "one": one})


def _parts(
    frame: pd.DataFrame, bits: tuple[str, ...], sums: tuple[str, ...]
) -> tuple[Any, Any, Any]:
    edges = [len(frame) * owner // OWNERS for owner in range(OWNERS + 1)]
    owned = [share(frame.iloc[a:b], bits, sums) for a, b in pairwise(edges)]
    first, second, third = ([relation[party] for relation in owned] for party in Party)
    return first, second, third


def share(
    frame: pd.DataFrame, bits: tuple[str, ...], sums: tuple[str, ...]
) -> tuple[Relation, ...]:
    """Sort a frame by its first column, pad it to a multiple of 64 and split it."""
    frame = frame.sort_values(bits[0])
    n = -(-len(frame) // 64) * 64

    def planes(values: Any, width: int) -> tuple[Bits, Bits, Bits]:
        padded = np.zeros(n, dtype=np.uint64)
        padded[: len(frame)] = values
        return split(Bits, to_planes(padded, width))

    def totals(values: Any) -> tuple[Arith, Arith, Arith]:
        padded = np.zeros(n, dtype=np.uint64)
        padded[: len(frame)] = values
        return split(Arith, padded)

    valid = planes(np.ones(len(frame)), 1)
    columns = {name: planes(frame[name].to_numpy(), 64) for name in bits}
    numbers = {name: totals(frame[name].to_numpy()) for name in sums}
    return tuple(
        Relation(
            n,
            valid[p],
            {name: Column(parts[p], False) for name, parts in columns.items()},
            {name: parts[p] for name, parts in numbers.items()},
            sorted_by=(bits[0],),
        )
        for p in Party
    )


def _same_rows(parts: Sequence[Relation], expected: pd.DataFrame) -> bool:
    """Compare the rows that are there with a frame's, in any order."""
    names = list(expected.columns)
    first = parts[0]
    there = from_planes(join_bits([part.valid for part in parts]), first.n).astype(bool)
    found: Mapping[str, Any] = {
        **{
            name: from_planes(join_bits([p.columns[name].planes for p in parts]), first.n)
            for name in first.columns
        },
        **{name: join_arith([p.sums[name] for p in parts]) for name in first.sums},
    }
    got = pd.DataFrame(found)[there][names].sort_values(names).reset_index(drop=True)
    want = expected.sort_values(names).reset_index(drop=True)
    return bool(got.equals(want.astype(got.dtypes)))
