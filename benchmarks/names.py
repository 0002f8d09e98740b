"""The benchmarks by name."""

from collections.abc import Callable

import numpy as np

from benchmarks import fitting, graphs, linkage, pairs, primitives, relations
from benchmarks.case import Case

CASES: dict[str, Callable[[int, np.random.Generator], Case]] = {
    "and": primitives.and_,
    "multiply": primitives.multiply_,
    "less_than": primitives.less_than_,
    "equality": primitives.equality,
    "shuffle": primitives.shuffle_,
    "sort": primitives.sort_,
    "merge": primitives.merge_,
    "join": relations.join,
    "group_by": relations.group_by,
    "distinct": relations.distinct,
    "link_ladder": linkage.link_ladder,
    "link_compare": pairs.link_compare,
    "train_joined": fitting.train_joined,
    "propagate": graphs.propagate_,
}
_SEED = 20240229


def make(name: str, rows: int) -> Case:
    """Make the inputs of a benchmark, the same each time."""
    return CASES[name](rows, np.random.default_rng(_SEED))
