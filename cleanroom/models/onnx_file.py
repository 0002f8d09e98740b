"""A model as ONNX, for software that knows nothing of this package.

Rule: the same numbers in float64: columns in the order of the features, numbers as they are and
categories as codes, NaN or -1 where missing. Needs the extra `onnx`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import ConfigInvalid
from cleanroom.learning.facts import Floats
from cleanroom.learning.families import Model
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.networks import NetworkModel
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.private.model import PrivateModel
from cleanroom.learning.private.network import PrivateNetwork
from cleanroom.learning.trees import Model as TreesModel
from cleanroom.models.onnx_trees import listed

_OPSET, _TREES_OPSET, _IR_VERSION = 17, 5, 10


def to_onnx(model: Model) -> bytes:
    """Return an ONNX model: input 'features' (n, F) float64, output 'prediction' (n,).

    Softmax networks have an output (n, values) of probabilities instead.

    Raises:
        ConfigInvalid: if onnx isn't installed, or this model has no such form; naming why.
    """
    if isinstance(model, PrivateNetwork):
        return to_onnx(model.network)
    graph = _Graph()
    match model:
        case LinearModel() | PrivateModel():
            scores = _linear(graph, model)
        case NetworkModel():
            scores = _network(graph, model)
        case TreesModel():
            scores = _trees(graph, model)
        case _:
            remedy = "Save it as JSON."
            raise ConfigInvalid(f"{type(model).__name__} has no ONNX form", remedy=remedy)
    return graph.content(scores, outputs=2 if _is_softmax(model) else 1)


class _Graph:
    """An ONNX graph while it grows."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError:
            remedy = "pip install 'pets-cleanroom[onnx]'"
            raise ConfigInvalid("ONNX files need the package onnx", remedy=remedy) from None
        self._onnx: Any = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = f"{kind}_{len(self._nodes)}"
        make = self._onnx.helper.make_node
        self._nodes.append(make(kind, list(inputs), [name], domain=domain, **attributes))
        return name

    def constant(self, values: Any, kind: Any = np.float64) -> str:
        """Add an array and return its name."""
        name = f"constant_{len(self._constants)}"
        array = np.asarray(values, dtype=kind)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def trees(self, values: Mapping[str, int | Sequence[int] | NDArray[Any]]) -> str:
        """Add an ensemble of trees over the features and return the name of its sums, (n, 1)."""
        arrays = self._onnx.numpy_helper
        given = {
            name: arrays.from_array(value) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
        return self.add("TreeEnsemble", "features", domain="ai.onnx.ml", n_targets=1, **given)

    def to_double(self, name: str) -> str:
        return self.add("Cast", name, to=self._onnx.TensorProto.DOUBLE)

    def content(self, scores: str, outputs: int) -> bytes:
        """Return the file's bytes."""
        helper, double = self._onnx.helper, self._onnx.TensorProto.DOUBLE
        self._nodes.append(helper.make_node("Identity", [scores], ["prediction"]))
        shape = ["n"] if outputs == 1 else ["n", None]
        graph = helper.make_graph(
            self._nodes,
            "model",
            [helper.make_tensor_value_info("features", double, ["n", None])],
            [helper.make_tensor_value_info("prediction", double, shape)],
            self._constants,
        )
        sets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _TREES_OPSET)]
        made = helper.make_model(graph, opset_imports=sets, ir_version=_IR_VERSION)
        self._onnx.checker.check_model(made)
        content: bytes = made.SerializeToString()
        return content


def _is_softmax(model: Model) -> bool:
    return isinstance(model, NetworkModel) and model.spec.loss == "softmax"


def _column(graph: _Graph, values: str) -> str:
    """Take (n, 1) as (n,)."""
    return graph.add("Squeeze", values, graph.constant([1], np.int64))


def _prepared(graph: _Graph, preparation: Preparation) -> str:
    """Return (n, used) columns, centred and scaled."""
    if preparation.options.missing == "drop" and any(f.nullable for f in preparation.features):
        what = "a model that leaves out rows with missing values has no ONNX form"
        raise ConfigInvalid(what, remedy="Impute missing values.")
    columns = []
    for at in preparation.used:
        place = preparation.places[at]
        feature = preparation.features[place.feature]
        which = graph.constant([place.feature], np.int64)
        raw = graph.add("Gather", "features", which, axis=1)
        absent = graph.add("IsNaN", raw)
        if feature.kind == "category":
            absent = graph.add("Or", absent, graph.add("Less", raw, graph.constant(0.0)))
        filled = graph.add("Where", absent, graph.constant(preparation.fills[place.feature]), raw)
        if place.of_missing:
            columns.append(graph.to_double(absent))
        elif place.is_number:
            columns.append(filled)
        else:
            columns.append(graph.to_double(graph.add("Equal", filled, graph.constant(place.code))))
    both = graph.add("Concat", *columns, axis=1)
    centred = graph.add("Sub", both, graph.constant(preparation.centres[preparation.used]))
    return graph.add("Div", centred, graph.constant(preparation.scales[preparation.used]))


def _layer(graph: _Graph, rows: str, matrix: Floats, biases: Floats) -> str:
    product = graph.add("MatMul", rows, graph.constant(matrix))
    return graph.add("Add", product, graph.constant(biases))


def _linear(graph: _Graph, model: LinearModel | PrivateModel) -> str:
    eta = _layer(graph, _prepared(graph, model.preparation), model.beta[1:, None], model.beta[:1])
    kind = model.kind.removeprefix("private_")
    if kind == "logistic":
        return _column(graph, graph.add("Sigmoid", eta))
    if kind == "poisson":
        return _column(graph, graph.add("Exp", eta))
    return _column(graph, _scaled(graph, eta, model.scale, model.centre))


def _scaled(graph: _Graph, values: str, scale: float, centre: float) -> str:
    product = graph.add("Mul", values, graph.constant(scale))
    return graph.add("Add", product, graph.constant(centre))


def _network(graph: _Graph, model: NetworkModel) -> str:
    rows = _prepared(graph, model.preparation)
    layers = model.network.layers(model.weights)
    for matrix, biases in layers[:-1]:
        rows = graph.add("Relu", _layer(graph, rows, matrix, biases))
    scores = _layer(graph, rows, *layers[-1])
    if model.spec.loss == "softmax":
        return graph.add("Softmax", scores, axis=1)
    if model.spec.loss == "logistic":
        return _column(graph, graph.add("Sigmoid", scores))
    return _column(graph, _scaled(graph, scores, model.scale, model.centre))


def _trees(graph: _Graph, model: TreesModel) -> str:
    score = graph.add("Add", graph.trees(listed(model)), graph.constant(model.base))
    if model.spec.loss == "logistic":
        return _column(graph, graph.add("Sigmoid", score))
    inside = graph.add("Clip", score, graph.constant(0.0), graph.constant(1.0))
    low, high = model.target.low, model.target.high
    return _column(graph, _scaled(graph, inside, high - low, low))
