"""An owner's side of a training of trees: its bins, and which of its rows lie in which node.

Rule: runs the named functions below on its own rows; whatever a step carries is checked first.
"""

from collections.abc import Iterable

import numpy as np

from cleanroom.errors import DataMismatch
from cleanroom.learning.checks import Turns, check_answer, check_rows
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.step import Step, Sums
from cleanroom.learning.taking import check_names, floats, integers
from cleanroom.learning.trees import forest, quantiles
from cleanroom.learning.trees.layout import (
    CELLS,
    WORDS,
    Layout,
    bin_codes,
    check,
    count_blocks,
    layout,
    numbers,
    scale,
    split_blocks,
    tree_blocks,
)
from cleanroom.learning.trees.spec import Spec

_SPLITS = ("nodes", "features", "words", "wanted")


class TreesOwner:
    """Adds up derivatives over bins of this owner's rows."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        check_rows(facts, rows)
        self._spec, self._facts, self._rows = spec, facts, rows
        self._scale = scale(facts)
        self._target = _target(spec, facts, rows)
        self._sorted: dict[str, Floats] = {}  # numbers that are known, for counting
        self._laid: Layout | None = None
        self._codes = np.zeros((0, 0), dtype=np.uint8)
        self._score = np.zeros(0)
        self._derivatives = np.zeros((len(rows), 2), dtype=np.int64)
        self._order = np.zeros(0, dtype=np.int64)
        self._nodes: list[tuple[int, int]] = []  # where the rows of each node lie in the order
        self._depths: list[int] = []
        self._split: set[int] = set()
        begun = 1 + facts.owners  # once more for each owner that drops out
        self._turns = Turns({"gbdt.count": quantiles.ROUNDS, "gbdt.start": begun})
        self._trees_left = spec.trees + facts.owners

    def answer(self, step: Step) -> Sums:
        """Return this owner's summand of a step of this training.

        Raises:
            StepRefused: if the step isn't one, or doesn't fit what came before.
        """
        match step.name:
            case "gbdt.count":
                self._turns.take(step)
                return self._count(step)
            case "gbdt.start":
                self._turns.take(step)
                return self._start(step)
            case "gbdt.split":
                return self._grow(step)
            case "gbdt.tree":
                return self._next_tree(step)
        raise StepRefused(f"'{step.name}' isn't a step of a training of trees")

    def _count(self, step: Step) -> Sums:
        """Count this owner's rows in cells of every number."""
        columns = numbers(self._facts)
        check_answer(step, count_blocks(self._facts))
        check_names(step, *(["ends"] if columns else []))
        whole = np.rint(self._target * self._scale).sum()
        sums = {**self._count_of_rows(), "target": np.array(whole)}
        if columns:
            ends = floats(step, "ends", len(columns), CELLS - 1)
            if (np.diff(ends, axis=1) < 0).any():
                raise StepRefused("gbdt.count: ends don't rise")
            cells = [self._cells(c.name, e) for c, e in zip(columns, ends, strict=True)]
            sums["cells"] = np.array(cells)
        return sums

    def _cells(self, name: str, ends: Floats) -> Floats:
        """Return how many values lie in each cell, then how many are missing."""
        if name not in self._sorted:
            values = self._rows.features[name]
            self._sorted[name] = np.sort(values[~np.isnan(values)])
        known = self._sorted[name]
        up_to = np.concatenate([[0], np.searchsorted(known, ends, "right"), [len(known)]])
        return np.append(np.diff(up_to), len(self._rows) - len(known)).astype(np.float64)

    def _start(self, step: Step) -> Sums:
        """Bin the rows, and replay the trees that there are."""
        check_names(step, "edges", "base", "nodes", "sizes")
        laid = layout(self._facts, self._edges(step))
        check_answer(step, tree_blocks(self._facts, laid))
        base = float(floats(step, "base"))
        sizes = integers(step, "sizes", None, below=2**20, least=1)
        trees = forest.Forest(floats(step, "nodes", None, forest.COLUMNS), sizes)
        forest.check(trees, laid)
        codes = bin_codes(self._facts.features, laid, self._rows.features)
        score = np.full(len(self._rows), base)
        forest.add_scores(trees, codes, score)
        before = self._laid
        if before is not None and not (
            np.array_equal(laid.edges, before.edges) and np.array_equal(score, self._score)
        ):
            raise StepRefused(f"{step.name} again, with other bins or trees than before")
        self._laid, self._codes, self._score, self._sorted = laid, codes, score, {}
        return self._root(laid)

    def _edges(self, step: Step) -> Floats:
        """Return the step's ends of bins: rising, then infinity."""
        edges = step.numbers["edges"]
        if edges.shape != (len(numbers(self._facts)), self._spec.max_bins - 1):
            raise StepRefused(f"{step.name}: edges has the shape {edges.shape}")
        with np.errstate(invalid="ignore"):
            rising = (np.diff(edges, axis=1) > 0) | (edges[:, 1:] == np.inf)
        if np.isnan(edges).any() or (edges == -np.inf).any() or not rising.all():
            raise StepRefused(f"{step.name}: edges don't rise")
        return edges

    def _next_tree(self, step: Step) -> Sums:
        """End a tree: add its leaves to the scores; then begin the next."""
        laid = self._started(step)
        check_names(step, *_SPLITS, "values")
        check_answer(step, tree_blocks(self._facts, laid))
        values = floats(step, "values", len(self._nodes) + 2 * step.numbers["nodes"].size)
        self._make_splits(step, laid)
        from cleanroom.learning.trees import kernels

        for place, (start, stop) in enumerate(self._nodes):
            if place not in self._split:
                kernels.add_at(self._order[start:stop], values[place], self._score)
        return self._root(laid)

    def _grow(self, step: Step) -> Sums:
        """Split nodes, and add up the bins of the children that are wanted."""
        laid = self._started(step)
        check_names(step, *_SPLITS)
        first = len(self._nodes)
        made = first + 2 * step.numbers["nodes"].size
        wanted = integers(step, "wanted", None, below=made, least=first)
        check_answer(step, split_blocks(self._facts, laid, len(wanted)))
        self._make_splits(step, laid)
        return {**self._histograms(laid, wanted), **self._count_of_rows()}

    def _make_splits(self, step: Step, laid: Layout) -> None:
        from cleanroom.learning.trees import kernels

        features = integers(step, "features", None, below=len(laid.widths))
        packed = integers(step, "words", len(features), WORDS, below=2**32)
        made = len(self._nodes) + 2 * len(features)
        nodes = integers(step, "nodes", len(features), below=made)
        leaves = 1 + len(self._split) + len(nodes)
        if self._spec.growth == "leaf" and leaves > self._spec.max_leaves:
            raise StepRefused(f"{step.name} makes more leaves than were agreed on")
        spare = np.empty_like(self._order)
        for node, feature, left in zip(nodes, features, packed, strict=True):
            if node >= len(self._nodes) or node in self._split:
                raise StepRefused(f"{step.name} splits a node that isn't a leaf")
            if self._depths[node] == self._spec.max_depth:
                raise StepRefused(f"{step.name} splits below the depth that was agreed on")
            start, stop = self._nodes[node]
            middle = start + kernels.partition(
                self._codes, feature, left, self._order[start:stop], spare
            )
            self._split.add(int(node))
            self._nodes += [(start, middle), (middle, stop)]
            self._depths += 2 * [self._depths[node] + 1]

    def _root(self, laid: Layout) -> Sums:
        """Take the derivatives at the scores, put all rows into one node, and add up its bins."""
        from cleanroom.learning.trees import kernels

        if not self._trees_left:
            raise StepRefused("more trees than were agreed on")
        self._trees_left -= 1
        logistic = self._spec.loss == "logistic"
        loss = kernels.gradients(
            self._score, self._target, logistic, self._scale, self._derivatives
        )
        self._order = np.arange(len(self._rows))
        self._nodes, self._depths, self._split = [(0, len(self._rows))], [0], set()
        sums = {"loss": np.array(float(loss)), **self._count_of_rows()}
        return {**self._histograms(laid, [0]), **sums}

    def _count_of_rows(self) -> dict[str, Floats]:
        return {"rows": np.array(float(len(self._rows)))}

    def _histograms(self, laid: Layout, places: Iterable[int]) -> dict[str, Floats]:
        """Return (m, bins, 2) sums over the rows of some nodes."""
        from cleanroom.learning.trees import kernels

        parts = [self._nodes[place] for place in places]
        sums = np.zeros((len(parts), laid.bins, 2), dtype=np.int64)
        for bins, (start, stop) in zip(sums, parts, strict=True):
            order = self._order[start:stop]
            kernels.add_histogram(self._codes, order, self._derivatives, laid.offsets, bins)
        return {"histograms": sums.astype(np.float64)}

    def _started(self, step: Step) -> Layout:
        if self._laid is None:
            raise StepRefused(f"{step.name} before 'gbdt.start'")
        return self._laid


def _target(spec: Spec, facts: Facts, rows: Rows) -> Floats:
    """Return the target in [0, 1]; 0 or 1 under logistic loss."""
    column = check(spec, facts)
    scaled = np.zeros(0) if rows.target is None else rows.target
    if not column.values:
        scaled = (scaled - column.low) / (column.high - column.low)
    if spec.loss == "logistic" and (scaled % 1).any():
        raise DataMismatch(f"{column.name}: neither 0 nor 1")
    return np.ascontiguousarray(scaled, dtype=np.float64)


def owner(spec: Spec, facts: Facts, rows: Rows) -> TreesOwner:
    """Return this owner's side of a training of trees."""
    return TreesOwner(spec, facts, rows)
