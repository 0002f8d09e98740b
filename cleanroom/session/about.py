"""What a request says besides its query: of a template, a training, a scoring, a profile, of keys.

Rule: values that travel in a signed request, checked by their shape alone.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cleanroom.contract.fields import Hash, Name
from cleanroom.plan.template import TemplateUse

MAX_CIPHERTEXTS = 1 << 7  # of one owner
MAX_SCORED = 1 << 20  # rows of one session


class Encryption(BaseModel):
    """Under which key the owners encrypt; it travels apart, and is made for one session.

    Attributes:
        parameters: name of the encryption's parameters.
        key_id: of the public key, which covers its every byte.
        ciphertexts: how many each owner sends.
        exchange: the recipient's X25519 key of this session.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    parameters: Annotated[str, Field(max_length=64)]
    key_id: Hash
    ciphertexts: Annotated[int, Field(ge=1, le=MAX_CIPHERTEXTS)]
    exchange: Hash


class Scoring(BaseModel):
    """What a request to score says of the recipient's rows.

    Attributes:
        exchange: the recipient's X25519 key of this session.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: Annotated[str, Field(max_length=127)]
    table: Annotated[str, Field(max_length=127)]
    rows: Annotated[int, Field(ge=1, le=MAX_SCORED)]
    exchange: Hash


class Training(BaseModel):
    """What a request to train says besides its job.

    Attributes:
        exchange: the recipient's X25519 key of this session.
        least: how many of the owners have to stay.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    exchange: Hash
    least: Annotated[int, Field(ge=1, le=1000)]


class Profile(BaseModel):
    """What a request for a profile says.

    Attributes:
        exchange: the recipient's X25519 key of this session.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    table: Annotated[str, Field(max_length=127)]
    exchange: Hash


class Template(BaseModel):
    """Which template of the contract a query is made of.

    Attributes:
        values: of each parameter, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Name
    values: Annotated[
        tuple[tuple[Name, Annotated[str, Field(max_length=4000)]], ...], Field(max_length=32)
    ] = ()

    @property
    def use(self) -> TemplateUse:
        return TemplateUse(self.name, self.values)
