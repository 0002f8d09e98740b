"""How one tree grows from summed histograms: which leaves split, and which sums that needs.

Rule: the recipient's side. Of two children only the lighter one is summed; the other is what is
left of its parent.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Floats
from cleanroom.learning.trees.forest import COLUMNS
from cleanroom.learning.trees.layout import WORDS, Ints, Layout, words
from cleanroom.learning.trees.spec import Spec


@dataclass(slots=True, eq=False)
class Node:
    """A node while its tree grows.

    Attributes:
        bins: (bins, 2) its summed derivatives; (0, 2) where it can't split, or did.
        g, h: their sums over all of its rows.
        gain: of its best split; -1 where there is none.
        left: (256,) bins that go left under that split.
        child: its left child, once it was split; the right one is the next.
    """

    depth: int
    g: int
    h: int
    bins: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    gain: float = -1.0
    feature: int = -1
    left: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(256, dtype=np.bool_))
    child: int = -1


@dataclass(frozen=True, slots=True)
class Splits:
    """What owners do next to a tree: split these nodes, then add up bins of these children.

    Attributes:
        nodes, features: (s,) which nodes split, on which features.
        words: (s, 8) bins that go left. Children are numbered in this order, left first.
        wanted: (m,) children whose histograms are summed.
    """

    nodes: Floats
    features: Floats
    words: Floats
    wanted: Floats

    def numbers(self) -> dict[str, Floats]:
        """Return them by name, as a step carries them."""
        return {
            "nodes": self.nodes,
            "features": self.features,
            "words": self.words,
            "wanted": self.wanted,
        }

    def then(self, more: "Splits") -> "Splits":
        """Return these splits and more, with what is wanted after the last."""
        return Splits(
            np.concatenate([self.nodes, more.nodes]),
            np.concatenate([self.features, more.features]),
            np.concatenate([self.words, more.words]),
            more.wanted,
        )


def no_splits() -> Splits:
    return Splits(np.zeros(0), np.zeros(0), np.zeros((0, WORDS)), np.zeros(0))


Growth: TypeAlias = Generator[Splits, Ints, tuple[Floats, Splits]]


@dataclass(frozen=True, slots=True)
class Grower:
    """Grows trees under one layout."""

    spec: Spec
    laid: Layout
    scale: float

    def grow(self, bins: Ints) -> Growth:
        """Grow one tree from (bins, 2) of its root.

        Yields:
            splits whose `wanted` children's (m, bins, 2) histograms it is then sent.

        Returns:
            the tree's (N, COLUMNS) nodes, and the splits that owners haven't made yet.
        """
        first = int(self.laid.widths[0])
        root = Node(0, int(bins[:first, 0].sum()), int(bins[:first, 1].sum()), bins)
        nodes = [root]
        self._find([root])
        pending = no_splits()
        while chosen := self._chosen(nodes):
            pairs = [self._split(nodes, node) for node in chosen]
            wanted = self._wanted(nodes, pairs)
            pending = pending.then(self._told(nodes, chosen, wanted))
            if wanted:
                sums = yield pending
                pending = no_splits()
                self._take(nodes, wanted, sums)
                self._find([node for pair in pairs for node in pair if len(node.bins)])
        return self._tree(nodes), pending

    def _chosen(self, nodes: Sequence[Node]) -> list[Node]:
        """Return the leaves that split next: all that gain, or the best."""
        gaining = [n for n in nodes if n.child < 0 and n.gain > self.spec.min_gain]
        if self.spec.growth == "level" or not gaining:
            return gaining
        leaves = sum(node.child < 0 for node in nodes)
        return [max(gaining, key=lambda n: n.gain)] if leaves < self.spec.max_leaves else []

    def _split(self, nodes: list[Node], node: Node) -> tuple[Node, Node]:
        """Append the children of a node."""
        start = int(self.laid.offsets[node.feature])
        part = node.bins[start : start + int(self.laid.widths[node.feature])]
        g, h = part[node.left[: len(part)]].sum(axis=0)
        node.child = len(nodes)
        left = Node(node.depth + 1, int(g), int(h))
        right = Node(node.depth + 1, node.g - int(g), node.h - int(h))
        nodes += [left, right]
        return left, right

    def _wanted(self, nodes: Sequence[Node], pairs: Sequence[tuple[Node, Node]]) -> list[int]:
        """Return the lighter child of each pair of which one may split again."""
        full = sum(n.child < 0 for n in nodes) >= self.spec.max_leaves
        if self.spec.growth == "leaf" and full:
            return []
        least = 2 * self.spec.min_child_weight * self.scale
        places = {id(node): place for place, node in enumerate(nodes)}
        return [
            places[id(left if left.h <= right.h else right)]
            for left, right in pairs
            if left.depth < self.spec.max_depth and max(left.h, right.h) >= least
        ]

    def _told(self, nodes: Sequence[Node], chosen: Sequence[Node], wanted: list[int]) -> Splits:
        places = {id(node): place for place, node in enumerate(nodes)}
        return Splits(
            np.array([places[id(node)] for node in chosen], dtype=np.float64),
            np.array([node.feature for node in chosen], dtype=np.float64),
            np.array([words(node.left) for node in chosen]),
            np.array(wanted, dtype=np.float64),
        )

    def _take(self, nodes: Sequence[Node], wanted: Sequence[int], sums: Ints) -> None:
        """Give the wanted children their sums, and their siblings what is left."""
        parents = {node.child: node for node in nodes if node.child >= 0}
        for place, bins in zip(wanted, sums, strict=True):
            parent = parents.get(place) or parents[place - 1]
            sibling = 2 * parent.child + 1 - place
            nodes[place].bins, nodes[sibling].bins = bins, parent.bins - bins
            parent.bins = parent.bins[:0]

    def _find(self, nodes: Sequence[Node]) -> None:
        """Find the best split of nodes that have sums."""
        from cleanroom.learning.trees.split_kernel import best_splits

        if not nodes:
            return
        bins = np.stack([node.bins for node in nodes if len(node.bins)])
        gains, features = np.empty(len(nodes)), np.empty(len(nodes), dtype=np.int64)
        left = np.zeros((len(nodes), 256), dtype=np.bool_)
        spec, laid = self.spec, self.laid
        best_splits(
            *(bins, laid.offsets, laid.widths, laid.missing, laid.category),
            *(spec.categories == "ordered", self.scale, spec.l2, spec.min_child_weight),
            *(gains, features, left),
        )
        for k, node in enumerate(nodes):
            node.gain, node.feature, node.left = float(gains[k]), int(features[k]), left[k]

    def _tree(self, nodes: Sequence[Node]) -> Floats:
        tree = np.zeros((len(nodes), COLUMNS))
        for row, node in zip(tree, nodes, strict=True):
            row[0] = -1
            if node.child < 0:
                weight = node.h / self.scale + self.spec.l2
                value = -self.spec.learning_rate * (node.g / self.scale) / weight
                row[2] = value if weight > 0 else 0.0
            else:
                row[:2] = node.feature, node.child
                row[3:] = words(node.left)
        return tree
