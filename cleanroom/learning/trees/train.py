"""The training as the recipient conducts it: quantiles first, then one step a level of a tree.

Rule: a generator of steps; it sees sums over all owners and nothing else.
"""

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.step import Step, Sums, Training, finished
from cleanroom.learning.trees import quantiles
from cleanroom.learning.trees.forest import Forest
from cleanroom.learning.trees.growing import Grower, Splits
from cleanroom.learning.trees.layout import (
    Layout,
    check,
    count_blocks,
    layout,
    numbers,
    scale,
    split_blocks,
    tree_blocks,
)
from cleanroom.learning.trees.model import Model
from cleanroom.learning.trees.spec import Spec

_FIRST = "loss"  # before any tree; stays with the recipient


def train(spec: Spec, facts: Facts, resume: Mapping[str, Floats] | None = None) -> Training[Model]:
    """Grow trees one after another, each on the gradients of those before it.

    Args:
        resume: a checkpoint of the same training; its trees are kept.

    Raises:
        TrainingImpossible: if these columns can't be learnt from, or no owner has rows.

    Cost: `max_depth` steps a tree at most when it grows by levels, `max_leaves - 1` by leaves. A
        step's answer has two numbers for each bin of each lighter child.
    Security: the recipient sees sums over all owners of gradients in bins; a bin of few rows tells
        about these rows. Owners see the trees.
    """
    target = check(spec, facts)
    if resume is None:
        edges, total, mean = yield from _counted(spec, facts)
        start = {"edges": edges, "base": np.array(_base(spec, mean, total))}
        forest = Forest.of([])
    else:
        start = {name: resume[name] for name in ("edges", "base", _FIRST) if name in resume}
        forest = Forest(resume["nodes"], resume["sizes"].astype(np.int64))
    trees, report = forest.trees, dict[str, float]()
    laid = layout(facts, start["edges"])
    grower = Grower(spec, laid, scale(facts))
    step = _first_step(facts, laid, _checkpoint(start, trees), report)
    while len(trees) < spec.trees:
        sums = yield step
        report = _report(start, float(sums["loss"]) / scale(facts) / _rows(sums))
        grown = yield from _grown(facts, grower, sums, len(trees) + 1)
        if grown is None:
            step = _first_step(facts, laid, _checkpoint(start, trees), report)
            continue
        tree, pending = grown
        trees.append(tree)
        step = _next_tree(facts, laid, pending, tree, report, _checkpoint(start, trees))
    yield finished(spec.trees, report)
    return Model.of(spec, facts.features, target, start["edges"], float(start["base"]), trees)


def _report(start: dict[str, Floats], loss: float) -> dict[str, float]:
    """Return what a round gave: the loss before its tree, and its share that trees explain."""
    first = float(start.setdefault(_FIRST, np.array(loss)))
    return {"loss": loss, "explained": 1 - loss / first if first > 0 else 0.0}


def _first_step(
    facts: Facts, laid: Layout, checkpoint: dict[str, Floats], report: Mapping[str, float]
) -> Step:
    """Return the step that begins a tree at owners who know of no other, or not of all."""
    number, blocks = len(checkpoint["sizes"]) + 1, tree_blocks(facts, laid)
    told = {name: array for name, array in checkpoint.items() if name != _FIRST}
    return Step("gbdt.start", blocks, told, {}, number, report, checkpoint)


def _next_tree(
    facts: Facts,
    laid: Layout,
    pending: Splits,
    tree: Floats,
    report: Mapping[str, float],
    checkpoint: dict[str, Floats],
) -> Step:
    """Return the step that ends a tree and begins the next."""
    leaves = {**pending.numbers(), "values": tree[:, 2]}
    number = len(checkpoint["sizes"]) + 1
    return Step("gbdt.tree", tree_blocks(facts, laid), leaves, {}, number, report, checkpoint)


def _grown(
    facts: Facts, grower: Grower, root: Sums, number: int
) -> Generator[Step, Sums, tuple[Floats, Splits] | None]:
    """Grow one tree, a step for each batch of splits; None if an owner dropped out meanwhile.

    What is left of a parent would then hold rows of an owner that its other child lacks.
    """
    growth = grower.grow(_whole(root["histograms"])[0])
    try:
        splits = next(growth)
        while True:
            blocks = split_blocks(facts, grower.laid, len(splits.wanted))
            sums = yield Step("gbdt.split", blocks, splits.numbers(), {}, number)
            if _rows(sums) != _rows(root):
                return None
            splits = growth.send(_whole(sums["histograms"]))
    except StopIteration as end:
        tree, pending = end.value
        return tree, pending


def _counted(spec: Spec, facts: Facts) -> Generator[Step, Sums, tuple[Floats, float, float]]:
    """Return the ends of bins, how many rows there are, and the mean target in [0, 1]."""
    columns = numbers(facts)
    ends = np.array([quantiles.even(column) for column in columns]).reshape(len(columns), -1)
    for again in range(quantiles.ROUNDS if columns else 1):
        sums = yield Step("gbdt.count", count_blocks(facts), {"ends": ends} if columns else {})
        cells = np.rint(sums["cells"]).clip(0)[:, :-1] if columns else np.zeros((0, 0))
        if again + 1 < quantiles.ROUNDS:
            ends = _each(quantiles.refined, columns, ends, cells)
    total = _rows(sums)
    edges = [
        quantiles.chosen(one, counts, spec.max_bins)
        for one, counts in zip(ends, cells, strict=True)
    ]
    mean = float(np.rint(sums["target"])) / scale(facts) / total
    return np.array(edges).reshape(len(columns), spec.max_bins - 1), total, mean


def _rows(sums: Sums) -> float:
    """Return how many rows a step's sums are of.

    Raises:
        TrainingImpossible: if there are none.
    """
    total = float(np.rint(sums["rows"]))
    if total < 1:
        raise TrainingImpossible("no owner has rows to learn from", remedy="Filter less.")
    return total


def _each(refine: Any, columns: tuple[Column, ...], ends: Floats, cells: Floats) -> Floats:
    rows = [refine(*one) for one in zip(columns, ends, cells, strict=True)]
    return np.array(rows).reshape(ends.shape)


def _base(spec: Spec, mean: float, total: float) -> float:
    """Return the score that every row starts with."""
    if spec.loss == "squared":
        return mean
    p = min(max(mean, 0.5 / total), 1 - 0.5 / total)
    return float(np.log(p / (1 - p)))


def _checkpoint(start: Mapping[str, Floats], trees: list[Floats]) -> dict[str, Floats]:
    forest = Forest.of(trees)
    return {**start, "nodes": forest.nodes, "sizes": forest.sizes.astype(np.float64)}


def _whole(sums: Floats) -> Any:
    """Return sums of whole numbers as such; secure sums are exact to far less than a half."""
    return np.rint(sums).astype(np.int64)
