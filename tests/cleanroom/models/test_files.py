"""Models as files: what is written comes back, and spoilt files are refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_models import COLUMNS, linear, network, trees

from cleanroom import load_model
from cleanroom.errors import ConfigInvalid, ModelMismatch
from cleanroom.learning.families import Model
from cleanroom.models import files
from cleanroom.models.files import save_model

ABOUT = {"plan": "a" * 64, "job": "readmission"}


@pytest.mark.parametrize("make", [linear, trees, network])
@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_a_model_comes_back(tmp_path: Path, make, suffix: str) -> None:
    model, file = make(), tmp_path / f"model.{suffix}"
    save_model(model, file, ABOUT)
    loaded = load_model(file)
    assert loaded.about == {"format": files.FORMAT, **ABOUT}
    assert loaded.model.predict(COLUMNS).tolist() == model.predict(COLUMNS).tolist()
    assert loaded.model.to_json() == model.to_json()


def test_tensors_are_what_other_software_reads(tmp_path: Path) -> None:
    model = network()
    save_model(model, tmp_path / "model.safetensors")
    assert load_file(tmp_path / "model.safetensors")["weights"].tolist() == model.weights.tolist()


def test_a_models_own_json_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(linear().to_json())
    assert load_model(tmp_path / "model.json").about == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"3", b"[" * 100_000, b'{"about": 3}'])
@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_other_files_are_no_models(tmp_path: Path, content: bytes, suffix: str) -> None:
    file = tmp_path / f"model.{suffix}"
    file.write_bytes(content)
    with pytest.raises(ModelMismatch):
        load_model(file)


def spoilt(file: Path, model: Model, change) -> None:
    save_model(model, file)
    tensors = load_file(file)
    name = "weights"
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    changed = {**tensors, **change(name, tensors.pop(name))}
    save_file(changed, file, metadata=header["__metadata__"])


@pytest.mark.parametrize(
    "change",
    [
        lambda name, array: {name: array[1:]},
        lambda name, array: {name: array.astype(np.float32)},
        lambda name, array: {name: np.full_like(array, np.nan)},
        lambda name, array: {name: array, "layers.7": array},
        lambda name, array: {"other": array},
        lambda name, array: {name: array.reshape(1, -1)},
    ],
)
def test_layers_of_another_shape_are_refused(tmp_path: Path, change) -> None:
    spoilt(tmp_path / "model.safetensors", network(), change)
    with pytest.raises(ModelMismatch):
        load_model(tmp_path / "model.safetensors")


def test_files_that_cant_be_used_are_named(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(ConfigInvalid, match="neither"):
        save_model(linear(), tmp_path / "model.pkl")
    with pytest.raises(ConfigInvalid, match="cannot write"):
        save_model(linear(), tmp_path / "nowhere" / "model.json")
    with pytest.raises(ConfigInvalid, match="cannot read"):
        load_model(tmp_path / "model.json")
    save_model(linear(), tmp_path / "model.json")
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    with pytest.raises(ConfigInvalid, match="larger than 10"):
        load_model(tmp_path / "model.json")
