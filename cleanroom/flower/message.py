"""One message of a ServerApp to its nodes, and a ClientApp's reply, without their arrays.

Rule: checked types, made from JSON that somebody else wrote. Flower isn't imported: where apps run
`records` makes Flower's own records of these.
"""

import math
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from cleanroom.errors import MessageInvalid

MAX_TEXT = 60_000  # what fits into a step's header
_Key = Annotated[str, Field(max_length=256)]
_Length = Annotated[int, Field(ge=0, le=1 << 40)]
_Shape = Annotated[list[_Length], Field(max_length=8)]
_Dtype = Literal[
    "float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip
# JSON has no tuples.
_Named = Annotated[tuple[_Key, _Shape], Strict(False)]
_Typed = Annotated[tuple[_Key, _Dtype, _Shape], Strict(False)]
_Number: TypeAlias = int | float
_Value: TypeAlias = bool | _Number | str | list[bool] | list[_Number] | list[str]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Layout(_Checked):
    """An ArrayRecord without its numbers: names, dtypes and shapes, in order."""

    record: _Key
    items: Annotated[list[_Typed], Field(max_length=10_000)]

    @property
    def size(self) -> int:
        return sum(math.prod(shape) for _, _, shape in self.items)


class Message(_Checked):
    """What one round asks of the nodes that it addresses.

    Attributes:
        type: `train`, `evaluate` or `query`, perhaps with an action: `train.pretrain`.
        nodes: addressed, in order; a node's id is its owner's place plus 1.
        arrays: of its ArrayRecord, if it has one.
        configs, metrics: its other records, by key.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    type: _Key
    nodes: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=1000)]
    arrays: Layout | None = None
    configs: dict[_Key, dict[_Key, _Value]] = Field(default_factory=dict)
    metrics: dict[_Key, dict[_Key, _Number | list[_Number]]] = Field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether its replies hold arrays."""
        return self.type.partition(".")[0] == "train"

    @property
    def size(self) -> int:
        return 0 if self.arrays is None else self.arrays.size

    @property
    def text(self) -> str:
        """The message as a step carries it."""
        return self.model_dump_json()

    @model_validator(mode="after")
    def _in_order(self) -> "Message":
        if self.nodes != sorted(set(self.nodes)):
            raise ValueError("nodes: not in order, or one twice")
        return self


class Reply(_Checked):
    """What the app in the sandbox says it answered, before it is checked against the job.

    Attributes:
        arrays: names and shapes, if it had an ArrayRecord.
    """

    arrays: Annotated[list[_Named], Field(max_length=10_000)] | None
    metrics: Annotated[dict[_Key, _Number | list[_Number]], Field(max_length=1000)]


def read_message(text: str | object) -> Message:
    """Read a message from JSON text, or from what JSON gave.

    Raises:
        MessageInvalid: if it is none.
    """
    try:
        if isinstance(text, str):
            return Message.model_validate_json(text if len(text) <= MAX_TEXT else "")
        return Message.model_validate(text)
    except ValidationError:
        raise MessageInvalid("not a message of a ServerApp") from None
