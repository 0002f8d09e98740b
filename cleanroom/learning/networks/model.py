"""A trained network: what it predicts from raw columns, and its JSON.

Rule: a value; it carries the means and scales that it was trained with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import ModelMismatch
from cleanroom.learning.describing import column, finite, read_column
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.networks.frame import check, network_of
from cleanroom.learning.networks.perceptron import Perceptron, chance, probabilities
from cleanroom.learning.networks.spec import Spec
from cleanroom.learning.preparation import Preparation


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A multi-layer perceptron.

    Attributes:
        centre, scale: of the target; 0 and 1 unless the loss is squared.
        weights: (size,) of all layers, each its (inputs, units) weights and (units,) biases.
    """

    spec: Spec
    preparation: Preparation
    target: Column
    centre: float
    scale: float
    weights: Floats

    @property
    def network(self) -> Perceptron:
        return network_of(self.spec, self.target, len(self.preparation.used))

    def scores(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return (n, outputs) of the last layer.

        Raises:
            DataMismatch: naming a feature that is absent, or has a value that isn't declared.
        """
        rows = self.preparation.standardised(self.preparation.raw(columns)).T
        return self.network.scores(self.weights, rows)

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return (n,) chances of 1 (of the second value), codes of the likeliest, or numbers.

        Raises:
            DataMismatch: as `scores`.
        """
        scores = self.scores(columns)
        if self.spec.loss == "logistic":
            return chance(scores[:, 0])
        if self.spec.loss == "softmax":
            likeliest: Floats = scores.argmax(axis=1).astype(np.float64)
            return likeliest
        numbers: Floats = self.centre + self.scale * scores[:, 0]
        return numbers

    def probabilities(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return (n, values) chances of each of the target's values.

        Raises:
            ModelMismatch: if the target is a number.
            DataMismatch: as `scores`.
        """
        if self.spec.loss == "squared":
            raise ModelMismatch(f"{self.target.name} is a number and has no probabilities")
        scores = self.scores(columns)
        if self.spec.loss == "logistic":
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        return probabilities(scores)

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        described = {
            "kind": "network",
            "spec": self.spec.model_dump(),
            "preparation": self.preparation.to_dict(),
            "target": column(self.target),
            "centre": self.centre,
            "scale": self.scale,
            "weights": self.weights.tolist(),
        }
        return json.dumps(described, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "NetworkModel":
        """Read what `to_json` returned.

        Raises:
            ModelMismatch: if the text isn't such a model.
        """
        try:
            return cls._read(finite(text))
        except (ValueError, KeyError, TypeError, AttributeError, TrainingImpossible):
            raise ModelMismatch("not a model of a network") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "NetworkModel":
        spec, target = Spec.model_validate(given["spec"]), read_column(given["target"])
        preparation = Preparation.from_dict(given["preparation"])
        check(spec, Facts(preparation.features, target, 1, 1))
        weights = np.asarray(given["weights"], dtype=np.float64)
        ends = float(given["centre"]), float(given["scale"])
        found = cls(spec, preparation, target, *ends, weights)
        if given["kind"] != "network" or weights.shape != (found.network.size,):
            raise ValueError("weights of another shape than the layers")
        if not (np.isfinite(weights).all() and np.isfinite(ends).all() and ends[1] > 0):
            raise ValueError("numbers that are not finite, or a scale of 0")
        return found
