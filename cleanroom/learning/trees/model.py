"""What a training of trees returns: trees over raw columns, readable as JSON.

Rule: no state beyond the trees, and what turns columns into bins.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning.describing import column, finite, read_column
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.preparation import coded
from cleanroom.learning.trees import describing
from cleanroom.learning.trees.forest import Forest, add_scores, check
from cleanroom.learning.trees.layout import Layout, bin_codes, layout
from cleanroom.learning.trees.spec import Spec


@dataclass(frozen=True, eq=False)
class Model:
    """Gradient boosted trees.

    Attributes:
        edges: (k, max_bins - 1) upper ends of the bins of each number, then infinity.
        base: the score of every row before any tree: log-odds, or a target in [0, 1].
    """

    spec: Spec
    features: tuple[Column, ...]
    target: Column
    edges: Floats
    base: float
    forest: Forest

    @classmethod
    def of(
        cls,
        spec: Spec,
        features: tuple[Column, ...],
        target: Column,
        edges: Floats,
        base: float,
        trees: Sequence[Floats],
    ) -> "Model":
        return cls(spec, features, target, edges, float(base), Forest.of(trees))

    @property
    def layout(self) -> Layout:
        return layout(Facts(self.features, self.target, 1, 1), self.edges)

    def scores(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return (n,) sums over all trees: log-odds, or a target in [0, 1].

        Raises:
            DataMismatch: naming a feature that is absent, or has a value that isn't declared.
        """
        absent = [column.name for column in self.features if column.name not in columns]
        if absent:
            raise DataMismatch(f"no column {', '.join(absent)}, which the model needs")
        found = {c.name: coded(c, np.asarray(columns[c.name])) for c in self.features}
        if len({values.shape for values in found.values()}) > 1:
            raise DataMismatch("columns of different lengths")
        codes = bin_codes(self.features, self.layout, found)
        score = np.full(len(codes), self.base)
        add_scores(self.forest, codes, score)
        return score

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return (n,) probabilities of 1 (of the second value), or numbers within bounds.

        Args:
            columns: name -> (n,) values of each feature; NaN, None or -1 where missing.

        Raises:
            DataMismatch: as `scores`.
        """
        score = self.scores(columns)
        if self.spec.loss == "logistic":
            chance: Floats = 1 / (1 + np.exp(-score.clip(-700, 700)))
            return chance
        low, high = self.target.low, self.target.high
        return low + score.clip(0, 1) * (high - low)

    def to_json(self) -> str:
        """Return trees whose splits name features and values."""
        described = {
            "kind": "gbdt",
            "spec": self.spec.model_dump(),
            "features": [column(c) for c in self.features],
            "target": column(self.target),
            "base": self.base,
            "edges": [row[np.isfinite(row)].tolist() for row in self.edges],
            "trees": describing.trees(self.forest, self.features, self.layout),
        }
        return json.dumps(described, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "Model":
        """Read what `to_json` returned.

        Raises:
            ModelMismatch: if the text isn't such a model.
        """
        try:
            return cls._read(finite(text))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, StepRefused):
            raise ModelMismatch("not a model of trees") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "Model":
        spec = Spec.model_validate(given["spec"])
        features = tuple(read_column(c) for c in given["features"])
        edges = np.full((sum(c.kind == "number" for c in features), spec.max_bins - 1), np.inf)
        for row, found in zip(edges, given["edges"], strict=True):
            row[: len(found)] = found
            if not (np.diff(found) > 0).all():
                raise ValueError("ends of bins that don't rise")
        target, base = read_column(given["target"]), float(given["base"])
        if given["kind"] != "gbdt" or not np.isfinite(base):
            raise ValueError("not trees")
        laid = layout(Facts(features, target, 1, 1), edges)
        forest = describing.read_trees(given["trees"], features, laid)
        check(forest, laid)
        return cls(spec, features, target, edges, base, forest)
