"""A model on its way to owners: its JSON as the numbers of a step, and back through its family.

Rule: text alone travels, never code; its size is checked before it is read.
"""

from collections.abc import Mapping

import numpy as np

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Floats
from cleanroom.learning.families import Model, model_from_json

MAX_BYTES = 1 << 25
_BYTES = 6  # of text in a float64, which holds every integer below 2^53


def packed(model: Model) -> Floats:
    """Return a model as whole numbers, six bytes of its JSON in each.

    Raises:
        ModelMismatch: if it has more than MAX_BYTES.
    """
    text = model.to_json().encode()
    if len(text) > MAX_BYTES:
        raise ModelMismatch(f"a model of more than {MAX_BYTES} bytes can't travel")
    padded = text + b" " * (-len(text) % _BYTES)
    wide = np.zeros((len(padded) // _BYTES, 8), np.uint8)
    wide[:, :_BYTES] = np.frombuffer(padded, np.uint8).reshape(-1, _BYTES)
    return wide.view("<u8").ravel().astype(float)


def unpacked(numbers: Floats) -> Model:
    """Rebuild the model that a step carries.

    Raises:
        StepRefused: if the numbers are too many, or no text of a model of a known family.
    """
    if numbers.ndim != 1 or len(numbers) * _BYTES > MAX_BYTES + _BYTES:
        raise StepRefused("a model of another size than allowed")
    whole = np.isfinite(numbers) & (numbers >= 0) & (numbers < 2.0 ** (8 * _BYTES))
    if not whole.all() or np.any(numbers != np.floor(numbers)):
        raise StepRefused("numbers that are no text of a model")
    words = np.ascontiguousarray(numbers.astype("<u8"))
    data = words.view(np.uint8).reshape(-1, 8)[:, :_BYTES].tobytes()
    try:
        return model_from_json(data.decode())
    except (UnicodeDecodeError, ModelMismatch):
        raise StepRefused("numbers that are no text of a model") from None


def scored(
    model: Model, columns: Mapping[str, Floats], low: float = -np.inf, high: float = np.inf
) -> Floats:
    """Return what a model that came with a step says of an owner's rows, (n,).

    NaN where it says nothing, or what isn't finite or from `low` to `high`: whoever made the model
    learns nothing from a refusal, which would be about this owner's rows alone.

    Raises:
        StepRefused: if it doesn't say one number a row, whatever the rows are.
    """
    n = len(next(iter(columns.values())))
    try:
        score = model.predict(columns)
    except DataMismatch:
        return np.full(n, np.nan)
    except ModelMismatch:
        raise StepRefused("a model that can't be used on rows") from None
    if score.shape != (n,):
        raise StepRefused("a model whose scores aren't one number a row")
    return np.where(np.isfinite(score) & (score >= low) & (score <= high), score, np.nan)
