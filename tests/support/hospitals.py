"""Rows of several owners for trainings, and sums in fixed point as a room takes them."""

from collections.abc import Mapping, Sequence

import numpy as np

from cleanroom.learning import pooled
from cleanroom.learning.answers import sums_of, words_of
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.step import Step, Sums

OWNERS = 3


def fixed_point(step: Step, answers: Sequence[Sums]) -> Sums:
    """Add up as the words of a room, which refuse what a block's bound doesn't hold."""
    owners = len(answers)
    words = [words_of(step, answer, owners) for answer in answers]
    return sums_of(step, np.sum(words, axis=0, dtype=np.uint64), owners, ("a", "b", "c")[:owners])


def number(name: str, values: Floats, *, nullable: bool = False) -> Column:
    """Declare a number with bounds a little wider than its values."""
    low, high = np.floor(np.nanmin(values)), np.ceil(np.nanmax(values))
    return Column(name, "number", float(low), float(high) + 1, nullable=nullable)


def numbered(x: Floats, target: Column | None, *, max_rows: int = 2000) -> Facts:
    """Declare the columns of a matrix as x0, x1, ..."""
    columns = tuple(number(f"x{i}", x[:, i]) for i in range(x.shape[1]))
    return Facts(columns, target, OWNERS, max_rows)


def shares(
    features: Mapping[str, Floats], target: Floats | None, time: Floats | None = None
) -> list[Rows]:
    """Deal rows out to owners of unequal size."""
    n = len(next(iter(features.values())))
    parts = np.split(np.arange(n), [n // 5, n // 2])
    return [
        Rows(
            {name: values[part] for name, values in features.items()},
            None if target is None else target[part],
            None if time is None else time[part],
        )
        for part in parts
    ]


def matrix(x: Floats) -> dict[str, Floats]:
    """Return the columns of a matrix by name."""
    return {f"x{i}": np.ascontiguousarray(x[:, i]) for i in range(x.shape[1])}


def trained(spec, facts, rows, add_up=fixed_point):  # type: ignore[no-untyped-def]
    """Train a family over these owners."""
    family = FAMILIES[spec.kind]
    owners = [family.owner(spec, facts, own) for own in rows]
    return pooled.run(family.train(spec, facts, None), owners, add_up)
