"""What an owner checks before it works on anything: its own rows, and each step's place.

Rule: a fault names a column or a step, and never tells a value.
"""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import DataMismatch
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.step import Block, Step


def missing(column: Column, values: Floats) -> NDArray[np.bool_]:
    """Tell where a value is missing: NaN, or the code -1."""
    found: NDArray[np.bool_] = np.isnan(values)
    return found | (values == -1) if column.kind == "category" else found


def check_rows(facts: Facts, rows: Rows) -> None:
    """Check that an owner's rows are what the facts say.

    Raises:
        DataMismatch: naming the column that is absent, of another length, or holds what it
            may not: a value beyond its bounds, none where one must be, a code without a value.
    """
    if set(rows.features) != {column.name for column in facts.features}:
        raise DataMismatch("rows whose features aren't those of the training")
    n = len(rows)
    if n > facts.max_rows:
        raise DataMismatch(f"more than the {facts.max_rows} rows that were agreed on")
    for column in facts.features:
        _check(column, rows.features[column.name], n, nullable=column.nullable)
    for one, values in (facts.target, rows.target), (facts.time, rows.time):
        if one is not None and values is not None:
            _check(one, values, n, nullable=False)
        elif one is not None or values is not None:
            raise DataMismatch("rows with a target or a time other than the training's")


def check_flags(column: Column, values: Floats | None) -> None:
    """Check that a target is 0 or 1 in every row.

    Raises:
        DataMismatch: naming it, if it isn't.
    """
    if values is None or np.any((values != 0) & (values != 1)):
        raise DataMismatch(f"{column.name}: a value other than 0 and 1")


def _check(column: Column, values: Floats, n: int, *, nullable: bool) -> None:
    if values.shape != (n,):
        raise DataMismatch(f"{column.name}: not one number a row")
    absent = missing(column, values)
    if absent.any() and not nullable:
        raise DataMismatch(f"{column.name}: missing in a row")
    known = values[~absent] if absent.any() else values
    is_category = column.kind == "category"
    low, high = (0, len(column.values) - 1) if is_category else (column.low, column.high)
    if len(known) and not (low <= known.min() and known.max() <= high):
        raise DataMismatch(f"{column.name}: a value beyond what was declared")
    if is_category and np.any(known != np.floor(known)):
        raise DataMismatch(f"{column.name}: a code that stands for no value")


class Turns:
    """Which steps may still come, and how often: whatever else is asked is refused."""

    def __init__(self, most: Mapping[str, int], *, in_order: bool = True) -> None:
        """Take how often each step may come.

        Args:
            most: by step, in the order in which they come.
            in_order: whether none may come again after a later one.
        """
        self._in_order = in_order
        self._most = most
        self._order = list(most)
        self._count: Counter[str] = Counter()
        self._at = 0

    def take(self, step: Step) -> None:
        """Count a step.

        Raises:
            StepRefused: if it has no such name, comes too late or too often.
        """
        if step.name not in self._most:
            raise StepRefused("a step of a name that this training doesn't have")
        place = self._order.index(step.name)
        if self._in_order and place < self._at:
            raise StepRefused(f"{step.name} after {self._order[self._at]}")
        self._at = place
        self._count[step.name] += 1
        if self._count[step.name] > self._most[step.name]:
            raise StepRefused(f"{step.name} more than {self._most[step.name]} times")


def numbers(step: Step, **shapes: tuple[int, ...]) -> list[Floats]:
    """Return a step's numbers by name.

    Raises:
        StepRefused: if there are others, or they have other shapes or aren't finite.
    """
    if set(step.numbers) != set(shapes):
        raise StepRefused(f"{step.name} with other numbers than {', '.join(shapes)}")
    for name, shape in shapes.items():
        given = step.numbers[name]
        if given.shape != shape or not np.isfinite(given).all():
            raise StepRefused(f"{step.name}: {name} isn't finite, or not of shape {shape}")
    return [step.numbers[name] for name in shapes]


def check_answer(step: Step, blocks: tuple[Block, ...]) -> None:
    """Check that a step asks for what its function gives, within the bounds that hold.

    Raises:
        StepRefused: if names, shapes or bounds are others.
    """
    asked, given = ([(b.name, b.shape) for b in some] for some in (step.answer, blocks))
    if asked != given:
        raise StepRefused(f"{step.name} for an answer of another shape")
    for one, other in zip(step.answer, blocks, strict=True):
        if not math.isclose(one.bound, other.bound, rel_tol=1e-9):
            raise StepRefused(f"{step.name} under another bound of {one.name}")
