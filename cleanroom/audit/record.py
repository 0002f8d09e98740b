"""One record of a log: who did what, when, under which plan, and what came of it.

Rule: names of members, tables and rules, hashes, sizes and costs. No value of a row, no person, no
text of a question: where it matters which one, its hash stands here.
"""

import secrets
import time
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.contract.fields import Hash, Name
from cleanroom.errors import LogDamaged

MAX_BYTES = 64 << 10
_Count = Annotated[int, Field(ge=0, lt=1 << 62)]
_Word = Annotated[str, Field(max_length=127)]
_Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Kind(StrEnum):
    """What happened."""

    STARTED = "process-started"
    EPOCH = "epoch-begun"
    COMMITTED = "rows-committed"
    REQUESTED = "requested"
    RULED = "ruled"
    APPROVAL_ASKED = "approval-asked"
    APPROVED = "approved"
    DENIED = "denied"
    CHARGED = "charged"
    FINISHED = "finished"
    FAILED = "failed"
    RECEIVED = "received"
    KEY_ROTATED = "key-rotated"
    BACKED_UP = "backed-up"
    RESTORED = "state-restored"
    ERASED = "table-erased"
    FORGOTTEN = "person-forgotten"
    DIVERGED = "log-diverged"
    ACCEPTED = "log-accepted"


class Record(BaseModel):
    """What happened once.

    Attributes:
        at: milliseconds since 1970, by this process's clock.
        nonce: 16 random bytes: the record's hash, which others see, tells nothing of it.
        who: the member that asked or is spoken of; without one, the log's own.
        protocol: how the plan runs: "mpc", "he", or what else takes the place of a protocol.
        accepted, codes: how it was ruled, and the codes of all violations or of the fault.
        epsilon, rho: what it costs, as exact decimals or fractions.
        digest: SHA-256 of what was signed or received, by `kind`; a commitment to rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    at: _Count
    nonce: _Nonce
    kind: Kind = Field(strict=False)
    session: Annotated[str, Field(max_length=2000)] | None = None
    who: Name | None = None
    purpose: Annotated[str, Field(max_length=2000)] | None = None
    contract_hash: Hash | None = None
    plan_hash: Hash | None = None
    protocol: _Word | None = None
    accepted: bool | None = None
    codes: Annotated[tuple[_Word, ...], Field(max_length=1000)] | None = Field(None, strict=False)
    epsilon: _Word | None = None
    rho: _Word | None = None
    table: _Word | None = None
    epoch: _Count | None = None
    digest: Hash | None = None
    rows: _Count | None = None
    rounds: _Count | None = None
    bytes_sent: _Count | None = None
    milliseconds: _Count | None = None

    @classmethod
    def now(cls, kind: Kind, **about: object) -> Self:
        """Return a record of this moment; None for whatever isn't said."""
        at, nonce = time.time_ns() // 1_000_000, secrets.token_hex(16)
        return cls.model_validate({"at": at, "nonce": nonce, "kind": kind, **about})

    def to_bytes(self) -> bytes:
        """Return the one form of this record."""
        return canonical.compact(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Read what `to_bytes` returned, and nothing but that.

        Raises:
            LogDamaged: if it is anything else.
        """
        try:
            record = cls.model_validate_json(content)
        except ValidationError:
            raise LogDamaged("a record doesn't decode") from None
        if record.to_bytes() != content:
            raise LogDamaged("a record has another form than the one that is written")
        return record
