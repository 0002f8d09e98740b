"""A signed statement as JSON, in files: receipts, checkpoints that are held, bundles.

Rule: the exact signed bytes stand in it as text, so nothing is encoded anew.
"""

import base64
import binascii
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.errors import MessageInvalid
from cleanroom.session.statements import Signed


class Written(BaseModel):
    """One signed statement."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: str
    signer: str
    payload: str
    signature: Annotated[str, Field(max_length=128)]

    @classmethod
    def of(cls, signed: Signed) -> Self:
        """Write a statement down."""
        signature = base64.b64encode(signed.signature).decode()
        return cls(
            kind=signed.kind,
            signer=signed.signer,
            payload=signed.payload.decode(),
            signature=signature,
        )

    @property
    def signed(self) -> Signed:
        """The statement, as it was signed.

        Raises:
            MessageInvalid: if the signature isn't base64.
        """
        try:
            signature = base64.b64decode(self.signature, validate=True)
            return Signed(self.kind, self.signer, self.payload.encode(), signature)
        except (binascii.Error, UnicodeEncodeError):
            raise MessageInvalid("a signed statement doesn't decode") from None

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return canonical.compact(self.model_dump())

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what `to_bytes` returned.

        Raises:
            MessageInvalid: if it is none.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            raise MessageInvalid("not a signed statement") from None
