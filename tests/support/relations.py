"""Secret relations from data frames and back, for tests of relational operators."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from protocols.context import Context
from protocols.randomness import Prss
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import join_arith, join_bits, split_arith, split_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import Gate, Party, Steps
from protocols.simulate import Transcript, simulate

KEYS = [bytes([i]) * 32 for i in range(3)]
WIDTHS = {"k": 5, "j": 5, "p": 7, "v": 9, "g": 2, "h": 3}


def share(frame: pd.DataFrame, sums: list[str], sorted_by: tuple[str, ...] | None = None):
    """Split a frame into three relations; NA marks a NULL, rows are padded to 64 * 2^i."""
    if sorted_by is not None:
        frame = frame.sort_values(list(sorted_by), na_position="last")
    n = max(64, 1 << max(len(frame) - 1, 0).bit_length())

    def planes(values: np.ndarray, bits: int):
        padded = np.zeros(n, dtype=np.uint64)
        padded[: len(values)] = values
        return to_planes(padded, bits)

    valid = split_bits(planes(np.ones(len(frame)), 1))
    columns = {}
    for name in frame.columns.difference(sums, sort=False):
        nullable = bool(frame[name].hasnans) or name == "v"
        parts = [planes(frame[name].isna().to_numpy(), 1)] if nullable else []
        value = frame[name].fillna(0).to_numpy().astype(np.uint64)
        parts.append(planes(value, WIDTHS[name]))
        columns[name] = (split_bits(np.concatenate(parts)), nullable)
    totals = {}
    for name in sums:
        padded = np.zeros(n, dtype=np.int64)
        padded[: len(frame)] = frame[name].to_numpy()
        totals[name] = split_arith(padded.view(np.uint64))
    return [
        Relation(
            n,
            valid[p],
            {name: Column(parts[p], nullable) for name, (parts, nullable) in columns.items()},
            {name: parts[p] for name, parts in totals.items()},
            sorted_by=sorted_by,
        )
        for p in Party
    ]


def opened(relations: tuple[Relation, ...]) -> pd.DataFrame:
    """Put three relations together and keep the rows that are there."""
    first = relations[0]
    there = from_planes(join_bits([r.valid for r in relations]), first.n).astype(bool)
    frame = {}
    for name, column in first.columns.items():
        planes = join_bits([r.columns[name].planes for r in relations])
        value = from_planes(planes[1:] if column.nullable else planes, first.n)
        series = pd.Series(value.astype(np.int64), dtype="Int64")
        if column.nullable:
            null = from_planes(planes[:1], first.n).astype(bool)
            assert not value[null & there].any()
            series[null] = pd.NA
        frame[name] = series
    for name in first.sums:
        words = join_arith([r.sums[name] for r in relations])
        frame[name] = pd.Series(words.view(np.int64), dtype="Int64")
    return pd.DataFrame(frame)[there].reset_index(drop=True)


def run(step: Callable[[Context], Steps[Relation]], transcript: Transcript | None = None):
    prss = [Prss(KEYS[i], KEYS[(i + 1) % 3]) for i in range(3)]
    contexts = [Context(p, prss[p], Gate("t")) for p in Party]
    return simulate([step(ctx) for ctx in contexts], transcript=transcript)


def table(seed: int, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "k": rng.integers(0, 6, n),
            "p": rng.integers(0, 100, n),
            "v": pd.array(rng.integers(0, 512, n), dtype="Int64"),
            "x": rng.integers(-(2**40), 2**40, n),
        }
    )
    frame.loc[rng.random(n) < 0.2, "v"] = pd.NA
    return frame
