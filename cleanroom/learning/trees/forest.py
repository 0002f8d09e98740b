"""Trees as flat arrays: what a checkpoint holds, owners replay, and a model predicts with.

Rule: an array that came from elsewhere is checked before any row follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Floats
from cleanroom.learning.trees.layout import WORDS, Ints, Layout

COLUMNS = 3 + WORDS  # of a node: feature or -1, left child, value, words of the bins that go left


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees in the order in which they are added up.

    Attributes:
        nodes: (N, COLUMNS) of all trees; a child is counted from its tree's root, and the right
            child follows the left one.
        sizes: (trees,) nodes of each tree.
    """

    nodes: Floats
    sizes: Ints

    @classmethod
    def of(cls, trees: Sequence[Floats]) -> "Forest":
        sizes = np.array([len(tree) for tree in trees], dtype=np.int64)
        return cls(np.concatenate([np.zeros((0, COLUMNS)), *trees]), sizes)

    @property
    def trees(self) -> list[Floats]:
        return np.split(self.nodes, np.cumsum(self.sizes)[:-1]) if len(self.sizes) else []


def check(forest: Forest, laid: Layout) -> None:
    """Refuse trees that no training makes: loops, unknown features, halves of words.

    Raises:
        StepRefused: saying what is wrong.
    """
    if not np.isfinite(forest.nodes).all():
        raise StepRefused("trees with numbers that aren't finite")
    if (forest.sizes < 1).any() or forest.sizes.sum() != len(forest.nodes):
        raise StepRefused("trees of another size than they say")
    feature, child, packed = forest.nodes[:, 0], forest.nodes[:, 1], forest.nodes[:, 3:]
    size = np.repeat(forest.sizes, forest.sizes)
    place = np.arange(len(forest.nodes)) - np.repeat(
        np.cumsum(forest.sizes) - forest.sizes, forest.sizes
    )
    inner = feature >= 0
    if (feature % 1).any() or (feature < -1).any() or (feature >= len(laid.widths)).any():
        raise StepRefused("a tree that splits an unknown feature")
    if (child[inner] % 1).any() or ((child <= place) | (child + 1 >= size))[inner].any():
        raise StepRefused("a tree whose nodes don't lead downwards")
    if (packed % 1).any() or (packed < 0).any() or (packed >= 2**32).any():
        raise StepRefused("a tree whose splits aren't words of bins")


def add_scores(forest: Forest, codes: np.ndarray, score: Floats) -> None:
    """Add what all trees say of (n, F) bins to (n,) scores, in the trees' order."""
    from cleanroom.learning.trees import kernels

    links = np.ascontiguousarray(forest.nodes[:, :2].astype(np.int64))
    packed = np.ascontiguousarray(forest.nodes[:, 3:].astype(np.int64))
    values = np.ascontiguousarray(forest.nodes[:, 2])
    start = 0
    for size in forest.sizes:
        stop = start + int(size)
        part = slice(start, stop)
        kernels.add_tree(codes, links[part], packed[part], values[part], 0, score)
        start = stop
