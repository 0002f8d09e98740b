"""What pairs of records are scored by: levels of similarity and their weights, all of it public.

Rule: numbers and their bounds. Whatever is computed on shares must fit the widths said here.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

WIDTHS = (8, 16)  # bits of the integers that similarities and scores are computed in
WINDOW = 32  # rows that follow a row of a block and are compared with it, at most


@dataclass(frozen=True, slots=True)
class Level:
    """A similarity that is reached, and what the highest one that is reached weighs.

    Attributes:
        dice: at least 2 |A and B| / (|A| + |B|), above 0, at most 1: all bits equal.
        weight: in whole units, the same unit in all of a scoring.
    """

    dice: Fraction
    weight: int

    @property
    def factors(self) -> tuple[int, int]:
        """Return the least a and b for which a |A and B| >= b (|A| + |B|) says the same."""
        a, b = 2 * self.dice.denominator, self.dice.numerator
        common = math.gcd(a, b)
        return a // common, b // common


@dataclass(frozen=True, slots=True)
class Field:
    """A field of both sides whose values are sets: bits, of which some are set.

    Attributes:
        column: a bits column; values that aren't NULL have a bit set. NULL at either side
            weighs nothing.
        levels: in any order, no two of one similarity.
        unlike: the weight of a pair that reaches none of them.
        most: bits that are set in a value at most. Owners see to it: values that break it are
            compared wrongly, which nobody notices.
    """

    column: str
    levels: tuple[Level, ...]
    unlike: int
    most: int

    def __post_init__(self) -> None:
        dice = [level.dice for level in self.levels]
        if not dice or len(set(dice)) < len(dice) or min(dice) <= 0 or max(dice) > 1:
            raise ValueError(f"{self.column} needs levels above 0 up to 1, all different")
        if self.most < 1:
            raise ValueError(f"values of {self.column} must have a bit at least")

    @property
    def ascending(self) -> tuple[Level, ...]:
        return tuple(sorted(self.levels, key=lambda level: level.dice))

    @property
    def steps(self) -> tuple[int, ...]:
        """Return what each level adds to the weight of the one below it, lowest first."""
        weights = [self.unlike, *(level.weight for level in self.ascending)]
        return tuple(b - a for a, b in pairwise(weights))

    @property
    def weights(self) -> tuple[int, ...]:
        """Return all that a pair can weigh: a missing value, no level, each level."""
        return (0, self.unlike, *(level.weight for level in self.ascending))

    def margins(self) -> tuple[int, int]:
        """Return the least and the greatest margin by which a pair can miss or reach a level."""
        factors = [level.factors for level in self.levels]
        low = max(b for _, b in factors) * -2 * self.most
        return low, max(0, *((a - 2 * b) * self.most for a, b in factors))


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which pairs are scored, if not all: those near each other in a block.

    Rows are put in order by block and, in it, by `order`, the left side's rows first where both
    are equal. Rows of one block of which the second is one of the `window` rows that follow the
    first are scored. In a block of more than `window` + 1 rows others are not.

    Attributes:
        block: a bits column of both sides; rows where it is NULL are in none.
        order: a bits column of both sides; NULL comes first.
        window: from 1 to 32.
    """

    block: str
    order: str
    window: int

    def __post_init__(self) -> None:
        if not 1 <= self.window <= WINDOW:
            raise ValueError(f"a window has from 1 to {WINDOW} rows")


@dataclass(frozen=True, slots=True)
class Scoring:
    """Fellegi and Sunter's sum of weights, by which two records are taken for one person's.

    Attributes:
        threshold: least score of a pair that may be linked, in units of the weights, above 0.
        max_left: public bound of records left over on either side.
        blocks: which pairs are scored; None: all.

    Raises:
        ValueError: if two fields share a column, if a bound isn't positive, or if margins or
            scores don't fit 16 bits: then levels or weights must be rounder.
    """

    fields: tuple[Field, ...]
    threshold: int
    max_left: int
    blocks: Blocks | None = None

    def __post_init__(self) -> None:
        columns = [field.column for field in self.fields]
        if not columns or len(set(columns)) < len(columns):
            raise ValueError("a scoring needs fields, each with a column of its own")
        if self.threshold < 1 or self.max_left < 1:
            raise ValueError("the threshold and the bound of records must be above 0")
        _ = self.margin_width, self.score_width

    @property
    def unit(self) -> int:
        """Return the greatest number that divides all weights and the threshold."""
        return math.gcd(self.threshold, *(w for field in self.fields for w in field.weights))

    def in_units(self, weights: Iterable[int]) -> list[int]:
        """Return weights in such units."""
        unit = self.unit
        return [weight // unit for weight in weights]

    @property
    def least(self) -> int:
        """Return the threshold in such units."""
        return self.threshold // self.unit

    @property
    def over(self) -> tuple[int, int]:
        """Return how far scores can lie below and above the last one that isn't linked."""
        low = sum(min(field.weights) for field in self.fields) // self.unit
        high = sum(max(field.weights) for field in self.fields) // self.unit
        return low - self.least + 1, max(1, high - self.least + 1)

    @property
    def margin_width(self) -> int:
        """Return the bits in which similarities are compared with levels."""
        bounds = [bound for field in self.fields for bound in field.margins()]
        return _width(bounds, "similarities: take levels like 1/2, 2/3, 4/5, or fewer bits")

    @property
    def score_width(self) -> int:
        """Return the bits in which weights are added up."""
        return _width(self.over, "scores: take weights that are smaller or rounder")

    @property
    def score_bits(self) -> int:
        """Return the bits of a score that is over the threshold, counted from there as 1."""
        return self.over[1].bit_length()


def _width(bounds: Iterable[int], what: str) -> int:
    bits = 1 + max((bound if bound >= 0 else ~bound).bit_length() for bound in bounds)
    for width in WIDTHS:
        if bits <= width:
            return width
    raise ValueError(f"{bits} bits are too many for {what}")
