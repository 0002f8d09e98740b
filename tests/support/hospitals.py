"""Rows of several owners for trainings, and sums in fixed point as a room takes them."""

from collections.abc import Mapping, Sequence

import numpy as np

from cleanroom.learning import pooled
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.step import Step, Sums

OWNERS = 3


def fixed_point(step: Step, answers: Sequence[Sums]) -> Sums:
    """Add up as integers of 62 bits, and refuse what a block's bound doesn't hold."""
    found = {}
    for block in step.answer:
        scale = 2.0**62 / (block.bound * len(answers))
        total = np.zeros(block.shape, object)
        for answer in answers:
            given = np.asarray(answer[block.name])
            assert given.shape == block.shape, block.name
            assert np.all(np.abs(given) <= block.bound), block.name
            total += np.array([round(float(x)) for x in (given * scale).ravel()], object).reshape(
                block.shape
            )
        found[block.name] = np.asarray(total, float) / scale
    return found


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
