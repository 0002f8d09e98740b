"""What both sides derive from the settings: fixed point, bins, and the shapes of the sums.

Rule: public, and the same at every member. Gradients are rounded to whole multiples of a power of
two before they are added, so every sum is exact below 2^53: the order of rows, and who holds which,
change no bit of any tree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.step import Block
from cleanroom.learning.trees.spec import Spec

CELLS = 1024  # of the histograms that quantiles are read from
MAX_LOSS = 64.0  # of one row: scores are clipped to +-32
WORDS = 8  # of 32 bits each: which of 256 bins go left
_EXACT_BITS = 52
_SCALE_BITS = 30

Ints = NDArray[np.int64]


def scale(facts: Facts) -> float:
    """Return the power of two that gradients are multiplied by."""
    all_rows = facts.owners * facts.max_rows
    return 2.0 ** min(_SCALE_BITS, _EXACT_BITS - 6 - all_rows.bit_length())


def numbers(facts: Facts) -> tuple[Column, ...]:
    """Return the features that have quantiles."""
    return tuple(column for column in facts.features if column.kind == "number")


def check(spec: Spec, facts: Facts) -> Column:
    """Return the target, if these columns can be learnt from.

    Raises:
        TrainingImpossible: naming the column and what to change.
    """
    for column in facts.features:
        if len(column.values) > 255:
            raise TrainingImpossible(
                f"{column.name} has {len(column.values)} categories, trees take at most 255",
                remedy="Group rare values in SQL.",
            )
    target = facts.target
    if target is None:
        raise TrainingImpossible("trees need a target")
    if spec.loss == "squared" and target.kind != "number":
        raise TrainingImpossible(
            f"{target.name} is a category, squared loss needs a number",
            remedy="Choose the logistic loss.",
        )
    binary = (target.low, target.high) == (0, 1) or len(target.values) == 2
    if spec.loss == "logistic" and not binary:
        raise TrainingImpossible(
            f"{target.name} isn't 0 or 1, as the logistic loss needs",
            remedy="Declare bounds of 0 and 1, or two values.",
        )
    return target


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each feature's bins lie in one flat histogram.

    Attributes:
        edges: (k, max_bins - 1) upper ends of the bins of each number, then infinity.
        widths: (F,) bins of each feature, with that of missing values.
        offsets: (F,) a feature's first bin.
        missing: (F,) which of its bins holds missing values; -1 where none are.
        category: (F,) 1 where bins have no order.
    """

    edges: Floats
    widths: Ints
    offsets: Ints
    missing: Ints
    category: Ints

    @property
    def bins(self) -> int:
        return int(self.widths.sum())


def layout(facts: Facts, edges: Floats) -> Layout:
    """Lay out the bins that these edges make."""
    rows = iter(np.isfinite(edges).sum(axis=1))
    plain = np.array(
        [
            next(rows) + 1 if column.kind == "number" else len(column.values)
            for column in facts.features
        ],
        dtype=np.int64,
    )
    nullable = np.array([column.nullable for column in facts.features])
    widths = plain + nullable
    offsets = np.cumsum(widths) - widths
    category = np.array([column.kind == "category" for column in facts.features], dtype=np.int64)
    return Layout(edges, widths, offsets, np.where(nullable, plain, -1), category)


def bin_codes(
    features: Sequence[Column], laid: Layout, columns: Mapping[str, Floats]
) -> NDArray[np.uint8]:
    """Return which bin of each feature every row lies in, (n, F)."""
    n = len(next(iter(columns.values())))
    codes = np.empty((n, len(features)), dtype=np.uint8)
    rows = iter(laid.edges)
    for f, column in enumerate(features):
        values = columns[column.name]
        if column.kind == "number":
            edges = next(rows)
            found = np.searchsorted(edges[np.isfinite(edges)], values)
            absent = np.isnan(values)
        else:
            found, absent = values.astype(np.int64), values < 0
        codes[:, f] = np.where(absent, max(int(laid.missing[f]), 0), found)
    return codes


def count_blocks(facts: Facts) -> tuple[Block, ...]:
    """Return what `gbdt.count` adds up: rows, their target, and cells of every number."""
    k = len(numbers(facts))
    rows = float(facts.max_rows)
    cells = (Block("cells", (k, CELLS + 1), rows),) if k else ()
    return (Block("rows", (), rows), Block("target", (), rows * scale(facts)), *cells)


def split_blocks(facts: Facts, laid: Layout, nodes: int) -> tuple[Block, ...]:
    """Return derivatives over the bins of some nodes, and rows: fewer where an owner is gone."""
    rows = float(facts.max_rows)
    histograms = Block("histograms", (nodes, laid.bins, 2), rows * scale(facts))
    return (histograms, Block("rows", (), rows))


def tree_blocks(facts: Facts, laid: Layout) -> tuple[Block, ...]:
    """Return what the first step of a tree adds up."""
    loss = Block("loss", (), facts.max_rows * MAX_LOSS * scale(facts))
    return (*split_blocks(facts, laid, 1), loss)


def words(left: NDArray[np.bool_]) -> Floats:
    """Return (256,) bins that go left as eight words of 32 bits."""
    packed = np.packbits(left, bitorder="little").view("<u4")
    return cast(Floats, packed.astype(np.float64))


def unpacked(packed: Floats) -> NDArray[np.bool_]:
    """Return the (256,) bins of eight words."""
    bits = np.unpackbits(packed.astype("<u4").view(np.uint8), bitorder="little")
    return bits.astype(np.bool_)
