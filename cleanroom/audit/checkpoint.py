"""A checkpoint: what a member signs of its own log and rows, for all others to hold it to.

Rule: signed under a domain of its own, so that no statement of a session passes for one.
"""

import time
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.audit.log import Head
from cleanroom.contract import canonical
from cleanroom.contract.document import Contract
from cleanroom.contract.fields import Hash, Name
from cleanroom.errors import MessageInvalid, NotAuthorised
from cleanroom.identity.identity import Identity
from cleanroom.session.statements import Committed, Signed

KIND = "checkpoint"
MAX_BYTES = 256 << 10
_DOMAIN = b"cleanroom checkpoint v1\n"
_Count = Annotated[int, Field(ge=0, lt=1 << 62)]


class Checkpoint(BaseModel):
    """Where a member's log stands.

    Attributes:
        at: milliseconds since 1970, by its own clock.
        size, root: how many records, and the root of the tree over them.
        inputs: what it committed its tables' rows to; of a coordinator, nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    party: Name
    contract_hash: Hash
    at: _Count
    size: Annotated[int, Field(ge=1, lt=1 << 62)]
    root: Hash
    inputs: Annotated[tuple[Committed, ...], Field(max_length=1000)] = ()

    @property
    def head(self) -> Head:
        return Head(self.size, bytes.fromhex(self.root))


def sign(
    identity: Identity, contract: Contract, head: Head, inputs: Sequence[Committed] = ()
) -> Signed:
    """Return a checkpoint of this moment, signed."""
    checkpoint = Checkpoint(
        party=identity.name,
        contract_hash=contract.hash,
        at=time.time_ns() // 1_000_000,
        size=head.size,
        root=head.root.hex(),
        inputs=tuple(inputs),
    )
    payload = _canonical(checkpoint)
    return Signed(KIND, identity.name, payload, identity.sign(_DOMAIN + payload))


def read(signed: Signed, contract: Contract) -> Checkpoint:
    """Return what a checkpoint says, once it is certain whose it is.

    Raises:
        MessageInvalid: if the bytes aren't exactly one checkpoint.
        NotAuthorised: if the signer isn't who it speaks for, or the signature isn't its own.
    """
    if signed.kind != KIND or len(signed.payload) > MAX_BYTES:
        raise MessageInvalid("no checkpoint, or too large a one")
    try:
        checkpoint = Checkpoint.model_validate_json(signed.payload)
    except ValidationError:
        raise MessageInvalid("not a checkpoint") from None
    if _canonical(checkpoint) != signed.payload:
        raise MessageInvalid("a checkpoint in another form than the canonical one")
    identity = contract.identities.get(signed.signer)
    if identity is None or checkpoint.party != signed.signer:
        raise NotAuthorised("a checkpoint of nobody in this contract")
    identity.verify(_DOMAIN + signed.payload, signed.signature)
    return checkpoint


def _canonical(checkpoint: Checkpoint) -> bytes:
    return canonical.compact(checkpoint.model_dump(mode="json"))
