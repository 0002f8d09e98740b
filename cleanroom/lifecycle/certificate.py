"""A member's signed word that it erased what it kept about a table.

Rule: a value and its file. What it covers stands in it, in words; what it doesn't, too.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.contract.document import Contract
from cleanroom.contract.fields import Name, first_fault
from cleanroom.errors import CertificateInvalid, NotAuthorised
from cleanroom.identity.files import read_bounded
from cleanroom.identity.identity import Identity

MAX_BYTES = 1 << 20
_DOMAIN = b"cleanroom erasure v1\n"
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]*$", max_length=256)]
COVERS = (
    "Every value that this member's process kept about the table, with the only keys that opened "
    "them. Its own file of the table's rows, results it exported, and copies of its key file from "
    "before are its own to destroy; so are the keys of the backups that are named."
)


class Certificate(BaseModel):
    """That one member erased one table.

    Attributes:
        contract_hash: the version that the member had at hand.
        when: seconds are enough; by the member's clock.
        values: how many were left behind under keys that are gone.
        backups: id -> day, of all that were ever made of this state.
        signature: of the member's identity, over everything else.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal["cleanroom erasure v1"] = "cleanroom erasure v1"
    room: str
    contract_hash: _Hex
    member: Name
    table: Annotated[str, Field(max_length=200)]
    when: Annotated[str, Field(max_length=40)]
    values: Annotated[int, Field(ge=0)]
    backups: Annotated[dict[_Hex, str], Field(max_length=10_000)]
    covers: Annotated[str, Field(max_length=4000)] = COVERS
    signature: _Hex = ""

    @property
    def statement(self) -> bytes:
        """The canonical bytes of all but the signature."""
        return canonical.compact(self.model_dump(mode="json", exclude={"signature"}))

    @property
    def digest(self) -> str:
        """SHA-256 of the statement, hexadecimal; a log names the certificate by it."""
        return hashlib.sha256(self.statement).hexdigest()

    def signed_by(self, identity: Identity) -> Self:
        """Return it with the member's signature."""
        signature = identity.sign(_DOMAIN + self.statement).hex()
        return self.model_copy(update={"signature": signature})

    def to_bytes(self) -> bytes:
        """Return the bytes of its file."""
        return canonical.readable(self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            CertificateInvalid: naming the field that doesn't hold.
        """
        try:
            return cls.model_validate_json(read_bounded(path, MAX_BYTES, CertificateInvalid))
        except ValidationError as error:
            raise CertificateInvalid(f"{path}: {first_fault(error)}") from None

    def check(self, contract: Contract) -> None:
        """Return if the member that the contract names signed this.

        Raises:
            CertificateInvalid: naming what doesn't hold, and the member.
        """
        known, terms = contract.identities.get(self.member), contract.terms
        if known is None or self.room != terms.room.name or self.table not in terms.tables:
            what = "names a member, a room or a table that the contract doesn't"
            raise CertificateInvalid(what, party=self.member)
        try:
            known.verify(_DOMAIN + self.statement, bytes.fromhex(self.signature))
        except (NotAuthorised, ValueError):
            raise CertificateInvalid("isn't signed by its member", party=self.member) from None


def now() -> str:
    """Return this moment (UTC), to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def missing(contract: Contract, table: str, certificates: Iterable[Certificate]) -> list[str]:
    """Return which owners of a table haven't certified that they erased it."""
    certified = {one.member for one in certificates if one.table == table}
    return [name for name in contract.terms.owners(table) if name not in certified]
