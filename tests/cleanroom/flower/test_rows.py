"""The file that an app reads, and the model that comes back."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load

from cleanroom.errors import ModelMismatch
from cleanroom.flower import rows
from cleanroom.flower.model import ArraysModel
from cleanroom.learning.facts import Column, Facts, Rows


def test_codes_become_values_and_missing_ones_null(tmp_path: Path) -> None:
    ward = Column("ward", "category", 0, 1, ("a", "b"), nullable=True)
    age = Column("age", "number", 0, 110, nullable=True)
    facts = Facts((age, ward), Column("out", "number", 0, 1), 3, 10, Column("days", "number", 0, 9))
    features = {"age": np.array([40, np.nan, 3]), "ward": np.array([1.0, 0, -1])}
    rows.write(tmp_path, facts, Rows(features, np.array([1.0, 0, 1]), np.array([2.0, 5, 6])))
    assert pq.read_table(tmp_path / rows.NAME).to_pydict() == {
        "age": [40, None, 3],
        "ward": ["b", "a", None],
        "out": [1, 0, 1],
        "days": [2, 5, 6],
    }


def test_a_model_keeps_names_dtypes_and_shapes() -> None:
    arrays = {"w": np.float32([[1.5, 2]]), "n": np.array(7), "b": np.array([True])}
    model = ArraysModel("app", "0" * 64, arrays, {"train loss": 0.5})
    for back in ArraysModel.from_json(model.to_json()).arrays, load(model.to_safetensors()):
        for name, array in arrays.items():
            np.testing.assert_array_equal(back[name], array)
            assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
    for spoilt in model.to_json().replace("7.0", "7.0,8"), "{}", "[", "[]":
        with pytest.raises(ModelMismatch):
            ArraysModel.from_json(spoilt)
