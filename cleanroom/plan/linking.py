"""Which rows of two sides are of one person: the node, and how it compares them."""

from dataclasses import dataclass
from fractions import Fraction

from cleanroom.plan.leaf import Leaf
from protocols.rep3.scoring import Blocks, Field, Level, Scoring

ID = "id"  # the bits column of either side's leaf that names a person
BLOCK, BLOCK_ORDER = "block", "block_order"  # bits columns of either side: near whom a row is
LEFT, RIGHT, RUNG = "left", "right", "rung"  # of a linkage's result


def rank_of(key: str) -> str:
    """Return the bits column of either side that says how its rows rank by a key, NULL last."""
    return f"{key}_rank"


@dataclass(frozen=True, slots=True)
class Likeness:
    """One comparison of the probabilistic pass.

    Attributes:
        column: bits column of both sides: a set of features, of which at most `most` are there.
        levels: Dice similarities as numerator and denominator, in descending order.
        weights: in tenths of log2: of each level, then of pairs below all of them.
    """

    column: str
    most: int
    levels: tuple[tuple[int, int], ...]
    weights: tuple[int, ...]

    @property
    def dice(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(*level) for level in self.levels)

    @property
    def field(self) -> Field:
        """This comparison as protocols have it."""
        pairs = zip(self.dice, self.weights[:-1], strict=True)
        levels = tuple(Level(dice, weight) for dice, weight in pairs)
        return Field(self.column, levels, self.weights[-1], self.most)


@dataclass(frozen=True, slots=True)
class Similar:
    """The probabilistic pass: pairs whose weights add up to the threshold.

    Attributes:
        threshold: in tenths of log2.
        max_left: public bound on the rows that either side may have left for it.
        window: with how many that follow it, of both sides in the order of block and block's
            order, a row is compared if they have the same block; None: with all.
    """

    likenesses: tuple[Likeness, ...]
    threshold: int
    max_left: int
    window: int | None = None

    @property
    def scoring(self) -> Scoring:
        """This pass as protocols have it.

        Raises:
            ValueError: if weights or levels need more bits than are computed in.
        """
        fields = tuple(one.field for one in self.likenesses)
        blocks = None if self.window is None else Blocks(BLOCK, BLOCK_ORDER, self.window)
        return Scoring(fields, self.threshold, self.max_left, blocks)


@dataclass(frozen=True, slots=True)
class Linkage:
    """One row for each pair of rows of two sides that are of one person, one to one.

    The result's bits columns are `left` and `right`, the persons, and `rung`, from 1.

    Attributes:
        name: of the contract's linkage.
        left, right: one row a person, whom bits column `id` names.
        keys: nullable bits columns of both. One after another links the rows that are, among those
            not linked so far, the only ones of either side with a key.
        similar: how what is left is compared; None: not at all.
    """

    name: str
    left: Leaf
    right: Leaf
    keys: tuple[str, ...]
    similar: Similar | None = None

    @property
    def rungs(self) -> int:
        return len(self.keys) + (self.similar is not None)
