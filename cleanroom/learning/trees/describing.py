"""Trees in words that a reader understands: features, ends of intervals, sets of values.

Rule: both ways, and exact: what is read back has the same bits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Column, Floats
from cleanroom.learning.trees.forest import COLUMNS, Forest
from cleanroom.learning.trees.layout import Layout, unpacked, words


def trees(forest: Forest, features: Sequence[Column], laid: Layout) -> list[list[dict[str, Any]]]:
    """Return the nodes of each tree: splits and leaves; `left` and `right` count from its root."""
    rows = _edges(features, laid)
    return [[_node(node, features, rows, laid) for node in tree] for tree in forest.trees]


def _edges(features: Sequence[Column], laid: Layout) -> list[Floats]:
    """Return the upper ends of each feature's bins; none for categories."""
    numbers = iter(laid.edges)
    none = np.zeros(0)
    rows = [next(numbers) if one.kind == "number" else none for one in features]
    return [row[np.isfinite(row)] for row in rows]


def _node(
    node: Floats, features: Sequence[Column], edges: Sequence[Floats], laid: Layout
) -> dict[str, Any]:
    f = int(node[0])
    if f < 0:
        return {"value": float(node[2])}
    left, one = unpacked(node[3:]), features[f]
    found: dict[str, Any] = {"feature": one.name}
    if one.kind == "number":
        last = int(np.count_nonzero(left[: len(edges[f]) + 1])) - 1
        # all values on one side, missing ones on the other
        found["at_most"] = float(edges[f][last]) if last < len(edges[f]) else None
    else:
        found["in"] = [value for code, value in enumerate(one.values) if left[code]]
    if one.nullable:
        found["missing"] = "left" if left[laid.missing[f]] else "right"
    child = int(node[1])
    return {**found, "left": child, "right": child + 1}


def read_trees(
    given: Sequence[Sequence[Mapping[str, Any]]], features: Sequence[Column], laid: Layout
) -> Forest:
    """Read what `trees` returned."""
    rows = _edges(features, laid)
    places = {one.name: place for place, one in enumerate(features)}
    read = []
    for tree in given:
        nodes = np.zeros((len(tree), COLUMNS))
        for row, node in zip(nodes, tree, strict=True):
            row[0] = -1
            if "value" in node:
                row[2] = float(node["value"])
            else:
                f = places[node["feature"]]
                row[:2] = f, node["left"]
                row[3:] = words(_left(node, features[f], rows[f], int(laid.missing[f])))
        read.append(nodes)
    return Forest.of(read)


def _left(node: Mapping[str, Any], one: Column, edges: Floats, missing: int) -> NDArray[np.bool_]:
    left = np.zeros(256, dtype=np.bool_)
    if one.kind == "category":
        left[[one.values.index(value) for value in node["in"]]] = True
    elif node["at_most"] is None:
        left[: len(edges) + 1] = True
    else:
        left[: int(np.searchsorted(edges, node["at_most"])) + 1] = True
    if one.nullable:
        left[missing] = node["missing"] == "left"
    return left
