"""Rows as numbers by what is declared alone: nothing is learnt of them, so nothing is paid.

Rule: numbers lie from -1 to 1 within their declared bounds, categories are 0 or 1, and a missing
value is the middle, or no category.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.layout import Preparing, layout
from cleanroom.learning.preparation import Preparation, complete


def declared(facts: Facts, options: Preparing) -> Preparation:
    """Return how features become columns, from their declared bounds.

    Raises:
        TrainingImpossible: naming a feature that may be missing, if that is refused.
    """
    places = layout(facts.features, options)
    middles = [middle_and_half(column) for column in facts.features]
    numbers = [place.is_number for place in places]
    centres = [middles[p.feature][0] if n else 0.0 for p, n in zip(places, numbers, strict=True)]
    scales = [middles[p.feature][1] if n else 1.0 for p, n in zip(places, numbers, strict=True)]
    fills = [
        m if c.kind == "number" else -1.0 for c, (m, _) in zip(facts.features, middles, strict=True)
    ]
    return Preparation(facts.features, options, *map(np.array, (centres, scales, fills)))


def middle_and_half(column: Column) -> tuple[float, float]:
    """Return the middle of a column's declared range and its half, which isn't 0."""
    low, high = column.low, column.high
    if column.kind == "category":
        low, high = 0.0, float(len(column.values) - 1)
    half = (high - low) / 2
    return low + half, half if half > 0 else 1.0


def longest(facts: Facts, options: Preparing) -> float:
    """Return the greatest squared length of a row, with 1 for the intercept."""
    nullable = sum(column.nullable for column in facts.features)
    indicators = nullable if options.missing == "impute" and options.indicate_missing else 0
    return 1.0 + len(facts.features) + indicators


@dataclass(frozen=True, slots=True)
class Design:
    """One owner's rows as numbers.

    Attributes:
        x: (n, 1 + p), the first column is 1.
        y: (n,) the target as it is.
        persons: (n,) whose row each is, or None.
    """

    x: Floats
    y: Floats
    persons: NDArray[np.generic] | None


def design(facts: Facts, options: Preparing, rows: Rows) -> Design:
    """Make an owner's rows, which are what the facts say, into numbers."""
    preparation = declared(facts, options)
    x = preparation.standardised(rows.features, first=1)
    x[0] = 1.0
    y = rows.target if rows.target is not None else np.zeros(len(rows))
    at = np.flatnonzero(complete(facts.features, options, rows.features))
    persons = None if rows.persons is None else rows.persons[at]
    return Design(np.ascontiguousarray(x.T[at]), y[at], persons)
