"""Clusters: where their centres are, and to which a row belongs.

Rule: a value that travels as JSON; predictions take raw columns.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cleanroom.errors import ModelMismatch
from cleanroom.learning.describing import MALFORMED, finite
from cleanroom.learning.facts import Floats
from cleanroom.learning.kmeans_step import nearest
from cleanroom.learning.preparation import Preparation


@dataclass(frozen=True)
class KMeansModel:
    """Clusters of rows.

    Attributes:
        clusters: (clusters, used) the centres, in the units that distances count in.
        counts: (clusters,) how many rows belong to each. inertia: their summed squared distances.
        rounds: that it took.
    """

    preparation: Preparation
    clusters: Floats
    counts: Floats
    inertia: float
    rounds: int
    kind: str = "kmeans"

    @property
    def centres(self) -> Mapping[str, Floats]:
        """Return by column where the centres are, in its own unit; for indicators, shares."""
        used = self.preparation.used
        raw = self.clusters * self.preparation.units * self.preparation.scales[used]
        raw += self.preparation.centres[used]
        return dict(zip(self.preparation.names, raw.T, strict=True))

    @property
    def figures(self) -> Mapping[str, float]:
        """Return the summed squared distances."""
        return {"inertia": self.inertia}

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return each row's cluster, counted from 0, (n,); NaN where values are missing.

        Raises:
            DataMismatch: naming a feature that is absent or has a value that isn't declared.
        """
        z = self.preparation.standardised(self.preparation.raw(columns))
        found = nearest(z, 1 / self.preparation.units, self.clusters).astype(float)
        found[np.isnan(z).any(axis=0)] = np.nan
        return found

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        return json.dumps(
            {
                "kind": self.kind,
                "preparation": self.preparation.to_dict(),
                "clusters": self.clusters.tolist(),
                "counts": self.counts.tolist(),
                "inertia": self.inertia,
                "rounds": self.rounds,
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "KMeansModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            return cls._read(finite(text))
        except MALFORMED:
            raise ModelMismatch("not a model of clusters") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "KMeansModel":
        preparation = Preparation.from_dict(given["preparation"])
        clusters, counts = (np.asarray(given[n], float) for n in ("clusters", "counts"))
        if given["kind"] != "kmeans" or clusters.shape != (len(counts), len(preparation.used)):
            raise ValueError("clusters of another shape than the features")
        if not np.isfinite(clusters).all() or not np.isfinite(counts).all():
            raise ValueError("numbers that are not finite")
        inertia, rounds = float(given["inertia"]), int(given["rounds"])
        return cls(preparation, clusters, counts, inertia, rounds)
