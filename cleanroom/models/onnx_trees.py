"""Trees as the operator TreeEnsemble of ai.onnx.ml has them: a list for each property of a node.

Rule: arrays alone; splits and leaves are counted apart, as the standard does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Floats
from cleanroom.learning.trees import Model
from cleanroom.learning.trees.layout import unpacked

_AT_MOST, _IS, _IS_ONE_OF = 0, 4, 6
_EVERY = float(np.finfo(np.float64).max)
_SUM = 1


@dataclass(frozen=True, slots=True)
class _Split:
    """A node that isn't a leaf.

    Attributes:
        codes: of the categories that go left, if it splits a category.
        left, right: which split, or which leaf, and whether it is a leaf.
    """

    feature: int
    mode: int
    value: float
    missing_left: bool
    codes: tuple[float, ...]
    left: tuple[int, bool]
    right: tuple[int, bool]


def listed(model: Model) -> dict[str, int | Sequence[int] | NDArray[Any]]:
    """Return the operator's attributes: lists of integers, and arrays."""
    splits: list[_Split] = []
    leaves: list[float] = []
    roots = []
    for tree in model.forest.trees:
        roots.append(len(splits))
        leaf = tree[:, 0] < 0
        places = np.where(leaf, len(leaves) + np.cumsum(leaf), len(splits) + np.cumsum(~leaf)) - 1
        sides = [(int(place), bool(ends)) for place, ends in zip(places, leaf, strict=True)]
        if leaf[0]:
            splits.append(_Split(0, _AT_MOST, _EVERY, False, (), sides[0], sides[0]))
        for node in tree[~leaf]:
            child = int(node[1])
            splits.append(_split(model, node, sides[child], sides[child + 1]))
        leaves += tree[leaf, 2].tolist()
    return {
        "aggregate_function": _SUM,
        "leaf_targetids": [0] * len(leaves),
        "leaf_weights": np.array(leaves),
        "nodes_featureids": [one.feature for one in splits],
        "nodes_modes": np.array([one.mode for one in splits], dtype=np.uint8),
        "nodes_splits": np.array([one.value for one in splits]),
        "nodes_missing_value_tracks_true": [int(one.missing_left) for one in splits],
        "nodes_truenodeids": [one.left[0] for one in splits],
        "nodes_falsenodeids": [one.right[0] for one in splits],
        "nodes_trueleafs": [int(one.left[1]) for one in splits],
        "nodes_falseleafs": [int(one.right[1]) for one in splits],
        "tree_roots": roots,
        **_members(splits),
    }


def _members(splits: Sequence[_Split]) -> dict[str, NDArray[Any]]:
    """Return the sets of categories that splits test, each ended by NaN."""
    found = [value for one in splits if one.mode == _IS_ONE_OF for value in (*one.codes, np.nan)]
    return {"membership_values": np.array(found)} if found else {}


def _split(
    model: Model, node: Floats, left_side: tuple[int, bool], right_side: tuple[int, bool]
) -> _Split:
    f, laid = int(node[0]), model.layout
    left, missing, width = unpacked(node[3:]), int(laid.missing[f]), int(laid.widths[f])
    if laid.category[f]:
        codes = tuple(-1.0 if b == missing else float(b) for b in np.flatnonzero(left[:width]))
        mode, value = (_IS, codes[0]) if len(codes) == 1 else (_IS_ONE_OF, 0.0)
        return _Split(f, mode, value, False, codes, left_side, right_side)
    ends = laid.edges[int(np.count_nonzero(laid.category[:f] == 0))]
    last = int(left[: width - (missing >= 0)].sum()) - 1
    value = float(ends[last]) if last < len(ends) and np.isfinite(ends[last]) else _EVERY
    passes = bool(missing >= 0 and left[missing])
    return _Split(f, _AT_MOST, value, passes, (), left_side, right_side)
