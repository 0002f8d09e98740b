"""What a training by an app gives: named arrays, which the app's own code knows how to use.

Rule: open formats. JSON for what stores and signs models here, safetensors for everybody else.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import save

from cleanroom.errors import ModelMismatch
from cleanroom.flower.message import Layout
from cleanroom.learning.facts import Floats


@dataclass(frozen=True)
class ArraysModel:
    """A model of an app.

    Attributes:
        app, sha256: whose arrays these are.
        arrays: by name, in the app's order, dtypes and shapes.
        metrics: the last means over all owners, by kind of message and name.
    """

    app: str
    sha256: str
    arrays: Mapping[str, NDArray[Any]]
    metrics: Mapping[str, float] = field(default_factory=dict)

    def predict(self, columns: Mapping[str, ArrayLike]) -> NoReturn:
        """Refuse: what the arrays mean is the app's.

        Raises:
            ModelMismatch: always.
        """
        raise ModelMismatch(
            f"a model of the app '{self.app}' predicts by the app's own code",
            remedy="Save it as safetensors and load its arrays there.",
        )

    def to_safetensors(self) -> bytes:
        """Return the arrays as a safetensors file."""
        return save({name: np.array(array, order="C") for name, array in self.arrays.items()})

    def to_json(self) -> str:
        """Return everything as JSON; numbers in as many digits as they need."""
        whole = {
            "kind": "flower",
            "app": self.app,
            "sha256": self.sha256,
            "arrays": [(n, str(a.dtype), list(a.shape)) for n, a in self.arrays.items()],
            "metrics": dict(self.metrics),
            "values": [a.astype(np.float64).ravel().tolist() for a in self.arrays.values()],
        }
        return json.dumps(whole)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` returned.

        Raises:
            ModelMismatch: if the text isn't such a model.
        """
        try:
            whole = json.loads(text)
            layout = Layout.model_validate({"record": "", "items": whole["arrays"]})
            flat = np.concatenate([np.zeros(0), *(np.array(v, float) for v in whole["values"])])
            if whole["kind"] != "flower" or len(flat) != layout.size:
                raise ModelMismatch("not a model of a Flower app")
            metrics = {str(name): float(mean) for name, mean in whole["metrics"].items()}
            return cls(str(whole["app"]), str(whole["sha256"]), cut(layout, flat), metrics)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelMismatch("not a model of a Flower app") from None


def cut(layout: Layout, numbers: Floats) -> dict[str, NDArray[Any]]:
    """Cut numbers into the arrays that a layout names."""
    arrays, start = {}, 0
    for name, dtype, shape in layout.items:
        size = math.prod(shape)
        arrays[name] = numbers[start : start + size].reshape(shape).astype(dtype)
        start += size
    return arrays
