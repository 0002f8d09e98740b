"""The sums behind a preparation: counts and means first, then variances around these means.

Rule: the recipient's and the owners' halves of two steps, 'prepare.count' and 'prepare.spread',
side by side. Numbers count here in half ranges around the middle of their declared bounds, so that
each lies from -1 to 1. Opened: how many rows there are, each number's mean, variance and count of
known values, and how often each declared value of a category occurs, over all owners.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cleanroom.learning.checks import check_answer, missing, numbers
from cleanroom.learning.curvature import ROWS_PER_BLOCK
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.layout import Preparing, layout
from cleanroom.learning.preparation import Preparation, complete
from cleanroom.learning.step import Block, Step, Sums, Training

COUNT, SPREAD = "prepare.count", "prepare.spread"
SLACK = 1.001  # of a bound that follows from numbers that were rounded on their way
_FLOOR = 1e-7  # half ranges: below, the first step's variance is mostly rounding
_SAME = 1e-12  # half ranges: a standard deviation that is rounding alone


class Counted:
    """The columns whose sums are taken, apart as numbers and categories."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        targets = [column for column in (facts.target, facts.time) if column is not None]
        self.all: tuple[Column, ...] = (*facts.features, *targets)
        self.numbers = [column for column in self.all if column.kind == "number"]
        self.categories = [column for column in self.all if column.kind == "category"]
        self.codes = sum(len(column.values) for column in self.categories)

    def count_blocks(self) -> tuple[Block, ...]:
        most = self.facts.max_rows * SLACK
        blocks = [Block("rows", (), most)]
        if self.numbers:
            blocks.append(Block("numbers", (3, len(self.numbers)), most))
        if self.codes:
            blocks.append(Block("codes", (self.codes,), most))
        return tuple(blocks)

    def spread_blocks(self) -> tuple[Block, ...]:
        """Return a bound that holds as no square of the rough scales adds up to more than this.

        Over all owners the squares add up to the rows, but where the scale was rounding alone.
        """
        most = 4.0 * self.facts.owners * self.facts.max_rows
        return (Block("squares", (len(self.numbers),), most),)


def used_columns(facts: Facts, options: Preparing, rows: Rows) -> dict[str, Floats]:
    """Return an owner's columns, target and time among them, without the rows left out."""
    found = dict(rows.features)
    for column, values in (facts.target, rows.target), (facts.time, rows.time):
        if column is not None and values is not None:
            found[column.name] = values
    if options.missing != "drop":
        return found
    kept = complete(facts.features, options, rows.features)
    return {name: values[kept] for name, values in found.items()}


def halved(column: Column, values: Floats) -> Floats:
    """Return a number's distance from its middle, in half ranges: from -1 to 1."""
    middle, half = _middle(column)
    return (values - middle) / half


def count(counted: Counted, columns: Mapping[str, Floats], step: Step) -> Sums:
    """Answer 'prepare.count': rows; known values, their sum and their squares; codes."""
    numbers(step)
    check_answer(step, counted.count_blocks())
    found: dict[str, Floats] = {"rows": np.array(float(len(next(iter(columns.values())))))}
    if counted.numbers:
        found["numbers"] = np.array([_moments(c, columns[c.name]) for c in counted.numbers]).T
    if counted.codes:
        one_by_one = [_codes(c, columns[c.name]) for c in counted.categories]
        found["codes"] = np.concatenate(one_by_one)
    return found


def spread(counted: Counted, columns: Mapping[str, Floats], step: Step) -> Sums:
    """Answer 'prepare.spread': squares of distances from the means, in rough scales.

    Raises:
        StepRefused: if a mean lies beyond its bounds, or a scale is too small for these rows.
    """
    shape = (len(counted.numbers),)
    means, scales = numbers(step, means=shape, scales=shape)
    check_answer(step, counted.spread_blocks())
    if np.any(np.abs(means) > 1) or np.any(scales < _FLOOR):
        raise StepRefused(f"{SPREAD} with a mean or scale beyond the declared bounds")
    found = np.zeros(shape)
    for at, column in enumerate(counted.numbers):
        for known in _blocks(column, columns[column.name]):
            distances = (halved(column, known) - means[at]) / scales[at]
            found[at] += distances @ distances
    if np.any(found > counted.spread_blocks()[0].bound):
        raise StepRefused(f"{SPREAD} with a scale far below these rows' own")
    return {"squares": found}


class Found:
    """What the sums say, by column.

    Attributes:
        rows: of all owners, without those left out.
        means, scales: by number, in its own units; a scale of 0 where nothing varies.
        known: by number, how many are not missing.
        counts: by category, how often each value occurs.
    """

    def __init__(self, counted: Counted, sums: Sums) -> None:
        self.counted = counted
        self.rows = round(float(sums["rows"]))
        self.means: dict[str, float] = {}
        self.scales: dict[str, float] = {}
        self.known: dict[str, int] = {}
        self.counts: dict[str, Floats] = {}
        table = sums.get("numbers", np.zeros((3, 0)))
        self._known = np.maximum(np.round(table[0]), 1)
        self._means = np.clip(table[1] / self._known, -1, 1)
        variances = table[2] / self._known - self._means**2
        self._rough = np.sqrt(np.maximum(variances, _FLOOR**2))
        codes, start = sums.get("codes", np.zeros(0)), 0
        for column in counted.categories:
            self.counts[column.name] = np.round(codes[start : start + len(column.values)])
            start += len(column.values)
        for column, known, mean in zip(counted.numbers, table[0], self._means, strict=True):
            middle, half = _middle(column)
            self.known[column.name] = round(float(known))
            self.means[column.name] = middle + half * float(mean)

    def spread_step(self) -> Step:
        given = {"means": self._means, "scales": self._rough}
        return Step(SPREAD, self.counted.spread_blocks(), given)

    def take_spread(self, sums: Sums) -> None:
        """Take the exact variances; a missing number counts as its mean."""
        around = np.sqrt(np.maximum(sums["squares"], 0.0) / max(self.rows, 1)) * self._rough
        for column, one in zip(self.counted.numbers, around, strict=True):
            self.scales[column.name] = _middle(column)[1] * float(one) if one > _SAME else 0.0

    def mean(self, column: Column) -> float:
        """Return the mean of a number, or of a category's codes."""
        if column.kind == "number":
            return self.means[column.name]
        counts = self.counts[column.name]
        return float(counts @ np.arange(len(counts)) / counts.sum())

    def scale(self, column: Column) -> float:
        """Return the standard deviation of a number, or of a category's codes."""
        if column.kind == "number":
            return self.scales[column.name]
        counts, codes = self.counts[column.name], np.arange(len(column.values))
        return float(np.sqrt(counts @ (codes - self.mean(column)) ** 2 / counts.sum()))

    def preparation(self, options: Preparing) -> Preparation:
        """Return how features become columns: indicators against the first value that occurs."""
        features = self.counted.facts.features
        places = layout(features, options)
        fills = np.array([self._fill(column) for column in features])
        centres, scales = np.zeros(len(places)), np.zeros(len(places))
        for at, place in enumerate(places):
            column = features[place.feature]
            if place.is_number:
                centres[at], scales[at] = self.means[column.name], self.scales[column.name]
            else:
                share = self._ones(column, place.code, fills[place.feature]) / self.rows
                is_first = place.code is not None and place.code == self._first(column)
                centres[at], scales[at] = share, 0.0 if is_first else (share * (1 - share)) ** 0.5
        return Preparation(features, options, centres, scales, fills)

    def _fill(self, column: Column) -> float:
        if column.kind == "category":
            return float(np.argmax(self.counts[column.name]))
        return self.means[column.name]

    def _first(self, column: Column) -> int:
        return int(np.argmax(self.counts[column.name] > 0))

    def _ones(self, column: Column, code: int | None, fill: float) -> float:
        if column.kind == "number":
            return self.rows - self.known[column.name]
        counts = self.counts[column.name]
        absent = self.rows - float(counts.sum())
        if code is None:
            return absent
        return float(counts[code]) + (absent if code == fill else 0.0)


def find(facts: Facts, options: Preparing) -> Training[Found]:
    """Take both steps.

    Raises:
        TrainingImpossible: if there is no row, or a feature is missing in every row.
    """
    layout(facts.features, options)
    counted = Counted(facts)
    found = Found(counted, (yield Step(COUNT, counted.count_blocks())))
    if found.rows < 1:
        raise TrainingImpossible("a training without a row", remedy=_remedy(options))
    for column in facts.features:
        known = found.known.get(column.name, 0) or found.counts.get(column.name, np.zeros(1)).sum()
        if not known:
            raise TrainingImpossible(f"{column.name}: missing in every row")
    if counted.numbers:
        found.take_spread((yield found.spread_step()))
    return found


def _remedy(options: Preparing) -> str:
    return "Impute missing values instead of leaving rows out." if options.missing == "drop" else ""


def _middle(column: Column) -> tuple[float, float]:
    half = (column.high - column.low) / 2
    return column.low + half, half if half > 0 else 1.0


def _moments(column: Column, values: Floats) -> Sequence[float]:
    rows, total, squares = 0, 0.0, 0.0
    for known in _blocks(column, values):
        distances = halved(column, known)
        rows += len(known)
        total += float(distances.sum())
        squares += float(distances @ distances)
    return rows, total, squares


def _blocks(column: Column, values: Floats) -> Iterator[Floats]:
    """Yield the known values, few enough at a time for the processor's cache."""
    for first in range(0, len(values), ROWS_PER_BLOCK):
        block = values[first : first + ROWS_PER_BLOCK]
        yield block[~missing(column, block)] if column.nullable else block


def _codes(column: Column, values: Floats) -> Floats:
    known = values[values >= 0].astype(np.intp)
    return np.bincount(known, minlength=len(column.values)).astype(float)
