"""Persons of two sides with composite keys: made, shared, linked with pandas, opened again."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from protocols.rep3.ladder import Linked
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import join_bits, split_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import Party

ID_BITS, RANK_BITS = 20, 9


def persons(
    rng: np.random.Generator, n: int, start: int, keys: int, values: int, bits: int = 64
) -> pd.DataFrame:
    """Return n persons, ids from `start`, whose keys are few enough to repeat; some are NULL."""
    pool = np.random.default_rng(values).integers(0, 2**bits, values, dtype=np.uint64)
    frame = pd.DataFrame({"id": np.arange(start, start + n)})
    for name in names(keys):
        column = pd.Series(rng.choice(pool, n), dtype="UInt64")
        column[rng.random(n) < 0.1] = pd.NA
        frame[name] = column
    return frame


def names(keys: int) -> list[str]:
    return [f"key_{i}" for i in range(keys)]


def share(frame: pd.DataFrame, n: int = 64, bits: int = 64) -> list[Relation]:
    """Split persons, padded to n rows; a NULL's other bits are zero, padding's arbitrary."""
    rng = np.random.default_rng(n + len(frame))

    def planes(values: np.ndarray, width: int) -> np.ndarray:
        padded = rng.choice(np.array([0, 1, 2**64 - 1], dtype=np.uint64), n)
        padded[: len(frame)] = values
        return to_planes(padded, width)

    valid = split_bits(to_planes((np.arange(n) < len(frame)).astype(np.uint64), 1))
    columns = {"id": (split_bits(planes(frame["id"].to_numpy(), ID_BITS)), False)}
    for name in frame.columns.drop("id"):
        null = frame[name].isna().to_numpy(dtype=np.uint64)
        value = frame[name].fillna(0).to_numpy(dtype=np.uint64)
        parts = np.concatenate([planes(null, 1), planes(value, bits)])
        columns[name] = (split_bits(parts), True)
        rank = np.argsort(np.lexsort([value, null]))
        columns[f"{name}_rank"] = (split_bits(planes(rank, RANK_BITS)), False)
    return [
        Relation(
            n,
            valid[p],
            {name: Column(parts[p], null) for name, (parts, null) in columns.items()},
            {},
        )
        for p in Party
    ]


def linked_by_pandas(
    left: pd.DataFrame, right: pd.DataFrame, keys: Sequence[str]
) -> set[tuple[int, int, int]]:
    """Return (left id, right id, rung) of every pair: keys that occur once a side, joined."""
    found = set()
    for rung, key in enumerate(keys, 1):
        sides = [side.dropna(subset=[key]) for side in (left, right)]
        once = [side[~side[key].duplicated(keep=False)] for side in sides]
        pairs = once[0].merge(once[1], on=key, suffixes=("_left", "_right"))
        found |= {(a, b, rung) for a, b in zip(pairs["id_left"], pairs["id_right"], strict=True)}
        left = left[~left["id"].isin(pairs["id_left"])]
        right = right[~right["id"].isin(pairs["id_right"])]
    return found


def opened_pairs(results: Sequence[Linked]) -> list[tuple[int, int, int]]:
    """Put the pairs together that are there, in their order, which are in front."""
    parts = [one.pairs for one in results]
    there = from_planes(join_bits([r.valid for r in parts]), parts[0].n).astype(bool)
    assert not there[there.sum() :].any()
    columns = [
        from_planes(join_bits([r.columns[name].planes for r in parts]), parts[0].n)[there]
        for name in ("left", "right", "rung")
    ]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def opened_ids(relations: Sequence[Relation]) -> set[int]:
    """Return the ids of rows that are there."""
    n = relations[0].n
    there = from_planes(join_bits([r.valid for r in relations]), n).astype(bool)
    ids = from_planes(join_bits([r.columns["id"].planes for r in relations]), n)
    return set(ids[there].tolist())
