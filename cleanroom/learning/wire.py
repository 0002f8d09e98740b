"""Steps as bytes: a JSON header of names, shapes and options, then little-endian float64.

Rule: sizes are checked against what the plan allows before anything is allocated.
"""

import json
import math

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.errors import MessageInvalid
from cleanroom.learning.step import Block, Option, Step

MAX_HEADER_BYTES = 1 << 16
_MAX_NUMBERS = 1 << 40  # of an array, were its empty axes of length 1: beyond, there is none
_LENGTH_BYTES = 4


class _Array(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(max_length=128)
    shape: list[int] = Field(max_length=8)

    @property
    def size(self) -> int:
        if any(length < 0 for length in self.shape):
            raise MessageInvalid("an array of negative length")
        if not math.prod(self.shape) and math.prod(n or 1 for n in self.shape) > _MAX_NUMBERS:
            raise MessageInvalid("an empty array with too long an axis")
        return math.prod(self.shape)


class _Block(_Array):
    bound: float = Field(gt=0, allow_inf_nan=False)


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(max_length=64)
    round: int = Field(ge=1)
    answer: list[_Block] = Field(max_length=1024)
    numbers: list[_Array] = Field(max_length=1024)
    options: dict[str, Option]


def to_bytes(step: Step) -> bytes:
    """Return what owners get of a step: neither its report nor its checkpoint."""
    header = {
        "name": step.name,
        "round": step.round,
        "answer": [{"name": b.name, "shape": list(b.shape), "bound": b.bound} for b in step.answer],
        "numbers": [{"name": n, "shape": list(a.shape)} for n, a in step.numbers.items()],
        "options": dict(step.options),
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    arrays = [np.ascontiguousarray(array, "<f8").tobytes() for array in step.numbers.values()]
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "little"), text, *arrays])


def from_bytes(data: bytes, most_words: int) -> Step:
    """Read a step that the recipient sent.

    Args:
        most_words: how many numbers its answer may have.

    Raises:
        MessageInvalid: if it isn't exactly one step of at most that size.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if length > min(MAX_HEADER_BYTES, len(data) - _LENGTH_BYTES):
        raise MessageInvalid("a step with too long a header")
    start = _LENGTH_BYTES + length
    try:
        header = _Header.model_validate_json(data[_LENGTH_BYTES:start])
    except ValidationError:
        raise MessageInvalid("not a step of a training") from None
    if sum(block.size for block in header.answer) > most_words:
        raise MessageInvalid(f"a step whose answer has more than {most_words} numbers")
    if 8 * sum(array.size for array in header.numbers) != len(data) - start:
        raise MessageInvalid("a step of another length than it says")
    numbers = {}
    for array in header.numbers:
        found = np.frombuffer(data, "<f8", array.size, start).reshape(array.shape)
        numbers[array.name] = found.astype(np.float64)
        start += 8 * array.size
    answer = tuple(Block(b.name, tuple(b.shape), b.bound) for b in header.answer)
    return Step(header.name, answer, numbers, header.options, header.round)
