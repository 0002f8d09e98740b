"""Raw features made into centred and scaled columns, by numbers that a training found.

Rule: what a model needs to be used on raw columns later. `standardised` is the one place that
turns features into the numbers that a model multiplies; owners and recipients both call it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanroom.errors import DataMismatch
from cleanroom.learning import describing
from cleanroom.learning.checks import missing
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Floats
from cleanroom.learning.layout import Place, Preparing, layout

_EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Preparation:
    """Means, scales, and what stands for missing values.

    Attributes:
        features: that a model takes, with their declared values.
        centres, scales: (p,) one of each column of the layout. A column of scale 0 is left out:
            a category's first value that occurs, and whatever is the same in all rows.
        fills: (features,) what stands for a missing value: a mean, or a code.
    """

    features: tuple[Column, ...]
    options: Preparing
    centres: Floats
    scales: Floats
    fills: Floats

    @property
    def places(self) -> tuple[Place, ...]:
        return layout(self.features, self.options)

    @property
    def used(self) -> NDArray[np.intp]:
        """Return which columns of the layout are not left out, in order."""
        return np.flatnonzero(self.scales)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns that are used."""
        places = self.places
        return tuple(places[at].name for at in self.used)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the names of the columns that are the same in all rows, or a first value."""
        return tuple(place.name for place, s in zip(self.places, self.scales, strict=True) if not s)

    @property
    def units(self) -> Floats:
        """Return what a coefficient per standard deviation times this is what penalties count.

        Shape (used,): 1 for a number that is standardised, 1 / scale for all other columns.
        """
        places = self.places
        free = [places[at].is_number and self.options.standardise for at in self.used]
        return np.where(free, 1.0, 1.0 / self.scales[self.used])

    @property
    def reach(self) -> Floats:
        """Return how far a used column's values may be from 0, in standard deviations."""
        found = []
        for at in self.used:
            place, centre = self.places[at], self.centres[at]
            column = self.features[place.feature]
            low, high = (column.low, column.high) if place.is_number else (0.0, 1.0)
            found.append(max(high - centre, centre - low) / self.scales[at])
        return np.array(found)

    def standardised(self, columns: Mapping[str, Floats], first: int = 0) -> Floats:
        """Return all used columns, centred and scaled.

        Args:
            columns: name -> (n,) of each feature; NaN or -1 where missing.
            first: how many rows of the result are left free for the caller.

        Returns:
            (first + used, n), one row for each column: a column's numbers lie together. NaN
            where a value is missing and nothing stands for it.
        """
        n = len(next(iter(columns.values())))
        result = np.empty((first + len(self.used), n))
        places = self.places
        for row, at in enumerate(self.used, start=first):
            column = self.features[places[at].feature]
            self._fill(result[row], places[at], columns[column.name])
            result[row] -= self.centres[at]
            result[row] /= self.scales[at]
        return result

    def _fill(self, row: Floats, place: Place, values: Floats) -> None:
        column = self.features[place.feature]
        absent = missing(column, values)
        if place.of_missing:
            row[:] = absent
        elif place.is_number:
            row[:] = values
        else:
            row[:] = values == place.code
        if not place.of_missing and absent.any():
            row[absent] = self._filled(place)

    def _filled(self, place: Place) -> float:
        if self.options.missing != "impute" or not self.features[place.feature].nullable:
            return np.nan
        fill = float(self.fills[place.feature])
        return fill if place.is_number else float(fill == place.code)

    def raw(self, columns: Mapping[str, ArrayLike]) -> dict[str, Floats]:
        """Take a user's columns as the codes and numbers that `standardised` takes.

        Raises:
            DataMismatch: naming a feature that is absent, or has a value that isn't declared.
        """
        absent = [column.name for column in self.features if column.name not in columns]
        if absent:
            raise DataMismatch(f"no column {', '.join(absent)}, which the model needs")
        found = {c.name: coded(c, np.asarray(columns[c.name])) for c in self.features}
        if len({values.shape for values in found.values()}) > 1:
            raise DataMismatch("columns of different lengths")
        return found

    def complete(self, columns: Mapping[str, Floats]) -> NDArray[np.bool_]:
        """Tell which rows can be used: all, or those with nothing missing."""
        return complete(self.features, self.options, columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "features": [describing.column(one) for one in self.features],
            "options": self.options.model_dump(),
            "centres": self.centres.tolist(),
            "scales": self.scales.tolist(),
            "fills": self.fills.tolist(),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Preparation":
        """Read what `to_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: if it isn't that.
        """
        features = tuple(describing.read_column(one) for one in given["features"])
        options = Preparing.model_validate(given["options"])
        numbers = [np.asarray(given[name], float) for name in ("centres", "scales", "fills")]
        try:
            width = len(layout(features, options))
        except TrainingImpossible:
            raise ValueError("features that no such preparation has") from None
        if [array.shape for array in numbers] != [(width,), (width,), (len(features),)]:
            raise ValueError("numbers of another shape than the features")
        if not all(np.isfinite(array).all() for array in numbers) or (numbers[1] < 0).any():
            raise ValueError("numbers that are not finite, or a scale below 0")
        return cls(features, options, *numbers)


def coded(column: Column, values: NDArray[Any]) -> Floats:
    """Return a column as numbers or codes; text becomes codes, dates days, None missing.

    Raises:
        DataMismatch: naming the column if it holds what isn't declared.
    """
    values = _plainly(values)
    if column.kind == "category" and values.dtype.kind in "OUS":
        codes: dict[Any, int] = {value: code for code, value in enumerate(column.values)}
        codes[None] = -1
        try:
            return np.array([codes[value] for value in values.tolist()], float)
        except KeyError:
            raise DataMismatch(f"{column.name}: a value that isn't declared") from None
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError):
        remedy = "Give numbers; for a date datetime.date, datetime64 or days since 1970-01-01."
        raise DataMismatch(f"{column.name}: not numbers", remedy=remedy) from None
    known = numbers[~missing(column, numbers)]
    if np.isinf(known).any():
        raise DataMismatch(f"{column.name}: infinite")
    if column.kind == "category" and np.any(~np.isin(known, np.arange(len(column.values)))):
        raise DataMismatch(f"{column.name}: a code that stands for no value")
    return numbers


def _plainly(values: NDArray[Any]) -> NDArray[Any]:
    """Return dates as days since 1970-01-01, as owners do; NaN or None where one is missing."""
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64))
    if values.dtype.kind != "O":
        return values
    found = np.empty(values.shape, dtype=object)
    found.ravel()[:] = [_plain(value) for value in values.ravel().tolist()]
    return found


def _plain(value: Any) -> Any:
    """Return None for what pandas has where nothing is, and a date's days since 1970-01-01."""
    if isinstance(value, dt.date | float) and value != value:
        return None
    return value.toordinal() - _EPOCH if isinstance(value, dt.date) else value


def complete(
    features: Sequence[Column], options: Preparing, columns: Mapping[str, Floats]
) -> NDArray[np.bool_]:
    """Tell which rows a training uses: all, or those with nothing missing."""
    n = len(next(iter(columns.values())))
    found = np.ones(n, bool)
    if options.missing == "impute":
        return found
    for column in features:
        found &= ~missing(column, columns[column.name])
    return found
