"""Payments of several owners, and each owner's exact cells: a count and a sum for each group."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from protocols.he.integers import I64

LARGEST = 10**6  # pence of one payment
_SEED = 20240229


@dataclass(frozen=True)
class Owner:
    """One owner's rows, and the secrets that it shares with the others."""

    name: str
    groups: I64
    pence: I64
    secrets: dict[str, bytes]

    def cells(self, n_groups: int) -> I64:
        """Return counts, then sums, exact."""
        both = np.zeros((2, n_groups), dtype=np.int64)
        both[0] = np.bincount(self.groups, minlength=n_groups)
        np.add.at(both[1], self.groups, self.pence)
        return both.reshape(-1)


def owners(n_owners: int, rows: int, n_groups: int) -> list[Owner]:
    """Return owners of `rows` rows together, the same each time."""
    rng = np.random.default_rng(_SEED)
    names = [f"owner{i:03d}" for i in range(n_owners)]
    shared = {pair: hashlib.sha256(repr(pair).encode()).digest() for pair in combinations(names, 2)}
    made = []
    for i, name in enumerate(names):
        n = rows // n_owners + (i < rows % n_owners)
        secrets = {
            other: shared[min(name, other), max(name, other)] for other in names if other != name
        }
        groups, pence = rng.integers(0, n_groups, n), rng.integers(0, LARGEST, n)
        made.append(Owner(name, groups, pence, secrets))
    return made


def pooled(all_owners: Sequence[Owner]) -> pd.DataFrame:
    """Return the rows of all owners."""
    parts = [pd.DataFrame({"g": one.groups, "pence": one.pence}) for one in all_owners]
    return pd.concat(parts, ignore_index=True)


def in_the_clear(frame: pd.DataFrame) -> pd.DataFrame:
    """Return count and sum for each group that has rows, by pandas."""
    return frame.groupby("g")["pence"].agg(["count", "sum"])
