"""Features as columns of numbers: what each is called, and what it is made of.

Rule: follows from the facts and the job's options alone, so every member derives the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cleanroom.contract.fields import Strict
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column


class Preparing(Strict):
    """How features become numbers.

    Attributes:
        missing: what becomes of missing values: the training is refused where a feature may
            have them; their rows are left out; or the mean (the most frequent value) stands
            for them.
        indicate_missing: whether a further column tells where a value was missing.
        standardise: whether penalties and distances count numbers in standard deviations. A
            model's coefficients are told in the features' own units either way.
    """

    missing: Literal["refuse", "drop", "impute"] = "refuse"
    indicate_missing: bool = False
    standardise: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """One column of numbers.

    Attributes:
        feature: its place among the features.
        code: the value that it indicates by 1; None for a number, or for `of_missing`.
        of_missing: whether it is 1 where the feature is missing.
    """

    name: str
    feature: int
    code: int | None = None
    of_missing: bool = False

    @property
    def is_number(self) -> bool:
        return self.code is None and not self.of_missing


def layout(features: Sequence[Column], options: Preparing) -> tuple[Place, ...]:
    """Return all columns: a number as it is, of a category one for each of its values.

    Raises:
        TrainingImpossible: naming a feature that may be missing, if that is refused.
    """
    places = []
    for at, column in enumerate(features):
        if column.nullable and options.missing == "refuse":
            what = f"a training on {column.name}, which may be missing"
            remedy = "Say prepare = { missing = 'impute' } under [model], or 'drop' such rows."
            raise TrainingImpossible(what, remedy=remedy)
        if column.kind == "number":
            places.append(Place(column.name, at))
        else:
            values = enumerate(column.values)
            places.extend(Place(f"{column.name}={value}", at, code) for code, value in values)
        if column.nullable and options.indicate_missing and options.missing == "impute":
            places.append(Place(f"{column.name} is missing", at, of_missing=True))
    return tuple(places)
