"""A model as a file: JSON that people read, or safetensors whose arrays keep every bit.

Rule: data alone, in formats that other software reads; nothing in a file is ever executed. Sizes
are checked before anything is read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cleanroom.errors import ConfigInvalid, ModelMismatch
from cleanroom.learning.facts import Floats
from cleanroom.learning.families import Model, model_from_json

MAX_BYTES = 1 << 28
FORMAT = "pets-cleanroom model 1"
_ABOUT, _TENSOR = "about", "tensor"


@dataclass(frozen=True)
class Loaded:
    """A model from a file.

    Attributes:
        about: what it was saved with: a plan's hash, a job's name. Nothing checks it.
    """

    model: Model
    about: Mapping[str, str] = field(default_factory=dict)


def save_model(model: Model, file: Path | str, about: Mapping[str, str] | None = None) -> None:
    """Write a model as JSON or, if the name ends in .safetensors, as tensors.

    Args:
        about: kept beside the model, by name: the plan's hash, for example.

    Raises:
        ConfigInvalid: if the name ends otherwise, or it can't be written.
    """
    file, given = Path(file), json.loads(model.to_json())
    about = {"format": FORMAT, **(about or {})}
    match file.suffix:
        case ".json":
            content = json.dumps({_ABOUT: about, **given}, allow_nan=False).encode()
        case ".safetensors":
            content = _as_tensors(given, about)
        case _:
            raise ConfigInvalid(
                f"{file} ends neither in .json nor in .safetensors",
                remedy="Choose one; to_onnx writes the third format.",
            )
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None


def load_model(file: Path | str) -> Loaded:
    """Read what `save_model` wrote, or a model's plain JSON.

    Raises:
        ConfigInvalid: if the file can't be read, or is larger than MAX_BYTES.
        ModelMismatch: if it holds no model of a known family.
    """
    file = Path(file)
    about: Any
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigInvalid(f"{file} is larger than {MAX_BYTES} bytes")
        if file.suffix == ".safetensors":
            given, about = _from_tensors(file)
        else:
            given = json.loads(file.read_text(encoding="utf-8"))
            about = given.pop(_ABOUT, {})
    except OSError as error:
        raise ConfigInvalid(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ModelMismatch(f"{file} holds no model") from None
    if not isinstance(about, dict) or not all(isinstance(v, str) for v in about.values()):
        raise ModelMismatch(f"{file} says what isn't text about its model")
    return Loaded(_model_of(given), about)


def _model_of(given: Any) -> Model:
    """Rebuild a model of a family, or one of joined rows, which alone names its format."""
    text = json.dumps(given)
    if not isinstance(given, dict) or "format" not in given:
        return model_from_json(text)
    from cleanroom.recipient.joined import JoinedModel

    return JoinedModel.from_json(text)


def _as_tensors(given: dict[str, Any], about: Mapping[str, str]) -> bytes:
    from safetensors.numpy import save

    tensors: dict[str, Floats] = {}
    rest = _taken_out(given, "", tensors)
    return save(tensors, metadata={**about, "model": json.dumps(rest, allow_nan=False)})


def _taken_out(value: Any, path: str, tensors: dict[str, Floats]) -> Any:
    """Return JSON whose lists of numbers are replaced by the names of tensors."""
    if isinstance(value, dict):
        return {k: _taken_out(v, f"{path}.{k}" if path else k, tensors) for k, v in value.items()}
    if isinstance(value, list):
        found = _floats(value)
        if found is not None:
            tensors[path] = found
            return {_TENSOR: path}
        return [_taken_out(one, f"{path}.{k}", tensors) for k, one in enumerate(value)]
    return value


def _floats(value: list[Any]) -> Floats | None:
    """Return a list, or a list of equally long lists, of floats alone as an array."""
    rows = value if value and all(isinstance(row, list) for row in value) else [value]
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        return None
    if not all(type(one) is float for row in rows for one in row):
        return None
    return np.array(value, dtype=np.float64)


def _from_tensors(file: Path) -> tuple[Any, dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            about = dict(opened.metadata() or {})
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError:
        raise ModelMismatch(f"{file} holds no tensors") from None
    given = _put_back(json.loads(about.pop("model")), tensors)
    if tensors:
        raise ModelMismatch(f"{file} holds tensors that its model doesn't name")
    return given, about


def _put_back(value: Any, tensors: dict[str, Any]) -> Any:
    """Return JSON with each tensor in its place; takes those from `tensors`.

    Raises:
        KeyError, ValueError: if one is missing, named twice or not of float64.
    """
    if isinstance(value, dict):
        if set(value) == {_TENSOR}:
            found = tensors.pop(value[_TENSOR])
            if found.dtype != np.float64:
                raise ValueError("a tensor of another type than float64")
            return found.tolist()
        return {key: _put_back(one, tensors) for key, one in value.items()}
    return [_put_back(one, tensors) for one in value] if isinstance(value, list) else value
