"""Models as ONNX: the reference evaluator of the standard predicts the same."""

import sys
from itertools import pairwise
from typing import Any

import numpy as np
import onnx.reference
import pytest
from small_models import COLUMNS, FEATURES, fitted, linear, network, trees

from cleanroom.errors import ConfigInvalid
from cleanroom.learning.facts import Column
from cleanroom.models.onnx_file import to_onnx


def private(kind: str, **settings: object) -> Any:
    return fitted(kind, dp={"epsilon": 5.0}, prepare={"missing": "impute"}, **settings)


KINDS = Column("kind", "category", 0, 2, ("x", "y", "z"))


def evaluated(content: bytes) -> Any:
    rows = np.column_stack([COLUMNS[feature.name] for feature in FEATURES])
    reader = onnx.reference.ReferenceEvaluator(onnx.load_from_string(content))
    return reader.run(None, {"features": rows})[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: linear("logistic"),
        lambda: linear("linear"),
        lambda: linear("poisson"),
        lambda: private("private_logistic"),
        lambda: private("private_linear"),
        lambda: private("private_network", rounds=3),
        network,
        lambda: network(loss="squared"),
        trees,
        lambda: trees(loss="squared"),
        lambda: trees(growth="leaf", max_bins=4),
        lambda: trees(min_child_weight=1000),
    ],
)
def test_onnx_predicts_the_same(make) -> None:
    model = make()
    np.testing.assert_allclose(evaluated(to_onnx(model)), model.predict(COLUMNS), rtol=1e-6)


def by_hand(content: bytes) -> list[float]:
    """Follow each row through the trees of a file, as the standard says.

    The reference evaluator takes code 0 for the end of a set.
    """
    node = next(n for n in onnx.load_from_string(content).graph.node if n.op_type == "TreeEnsemble")
    told: Any = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    modes, splits, leaves, members = (
        onnx.numpy_helper.to_array(told[name]).tolist()
        for name in ("nodes_modes", "nodes_splits", "leaf_weights", "membership_values")
    )
    ends = [-1, *np.flatnonzero(np.isnan(members))]
    sets = iter([members[a + 1 : b] for a, b in pairwise(ends)])
    sets_of = {at: next(sets) for at, mode in enumerate(modes) if mode == 6}
    total = []
    for row in zip(*(COLUMNS[feature.name] for feature in FEATURES), strict=True):
        found = 0.0
        for root in told["tree_roots"]:
            at, ends_here = root, 0
            while not ends_here:
                value = row[told["nodes_featureids"][at]]
                if np.isnan(value):
                    goes = bool(told["nodes_missing_value_tracks_true"][at])
                elif modes[at] == 6:
                    goes = value in sets_of[at]
                else:
                    goes = value <= splits[at] if modes[at] == 0 else value == splits[at]
                side = "true" if goes else "false"
                at, ends_here = told[f"nodes_{side}nodeids"][at], told[f"nodes_{side}leafs"][at]
            found += leaves[at]
        total.append(found)
    return total


def test_sets_of_categories_are_as_the_standard_has_them() -> None:
    model = trees(categories="ordered")
    found = np.array(by_hand(to_onnx(model))) + model.base
    np.testing.assert_allclose(found, model.scores(COLUMNS), rtol=1e-9)


def test_a_softmax_gives_all_probabilities() -> None:
    y = COLUMNS["colour"]
    prepare = {"missing": "impute"}
    model: Any = fitted("network", KINDS, y, loss="softmax", rounds=2, prepare=prepare)
    expected = model.probabilities(COLUMNS)
    np.testing.assert_allclose(evaluated(to_onnx(model)), expected, rtol=1e-6)


def test_what_onnx_cant_say_is_refused_by_name() -> None:
    dropping = fitted("logistic", prepare={"missing": "drop"})
    with pytest.raises(ConfigInvalid, match="leaves out rows"):
        to_onnx(dropping)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigInvalid, match=r"package onnx.*\[onnx\]"):
        to_onnx(linear())
