"""What is publicly known about the rows of a training before anybody reads one.

Rule: derived from the contract and the job alone, so every member derives the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One feature or target.

    Attributes:
        kind: a number lies between `low` and `high`; a category is one of `values`, by its place.
        nullable: whether values may be missing: NaN, or the code -1.
    """

    name: str
    kind: Literal["number", "category"]
    low: float
    high: float
    values: tuple[str, ...] = ()
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What every member knows.

    Attributes:
        target: what is learnt; None where nothing is (clusters, components).
        time: how long until the event that `target` flags, for survival; else None.
        owners: how many contribute.
        max_rows: of one owner.
    """

    features: tuple[Column, ...]
    target: Column | None
    owners: int
    max_rows: int
    time: Column | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One owner's own rows.

    Attributes:
        features: name -> (n,) values; NaN or the code -1 where one is missing.
        target, time: (n,), never missing; None as in the facts.
        persons: (n,) whose row each is, as any number that tells them apart; None where each
            row is another person's.
        place: of this owner among those of the training, from 0, in the order that all know.
    """

    features: Mapping[str, Floats]
    target: Floats | None
    time: Floats | None = None
    persons: NDArray[np.generic] | None = None
    place: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.features.values())))
