"""A contract: terms, everybody's public identity, and the members' signatures under both.

Rule: a value and its file. A loaded contract may still lack signatures; only `check` says that
it holds, and whoever acts on a contract calls `check` first.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.contract.fields import first_fault
from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid, IdentityInvalid, NotAuthorised
from cleanroom.identity import files
from cleanroom.identity.identity import Identity, PublicIdentity
from cleanroom.identity.public import PublicFields

COORDINATOR = "coordinator"
FORMAT = "cleanroom contract v1"
MAX_BYTES = 4 << 20

_NOT_A_CONTRACT = (
    "Terms in TOML become a contract by 'cleanroom contract new'; name the file that it wrote."
)
_DOMAIN = f"{FORMAT}\n".encode()


class _File(BaseModel):
    """A contract as its file says it; terms and identities are checked by their own types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal["cleanroom contract v1"]
    terms: dict[str, Any]
    identities: Annotated[dict[str, PublicFields], Field(max_length=1024)]
    signatures: Annotated[
        dict[str, Annotated[str, Field(max_length=128)]], Field(max_length=1024)
    ]


@dataclass(frozen=True)
class Contract:
    """What the members agree on and who they are; immutable.

    Attributes:
        identities: one of every member, in the order of the terms, and the coordinator's.
        signatures: member -> Ed25519 signature of the statement, in the order of `identities`.
    """

    terms: Terms
    identities: Mapping[str, PublicIdentity]
    signatures: Mapping[str, bytes]

    def __post_init__(self) -> None:
        order = [*self.terms.members, COORDINATOR]
        order += sorted(self.identities.keys() - set(order))
        order += sorted(self.signatures.keys() - set(order))
        for field in ("identities", "signatures"):
            given = getattr(self, field)
            ordered = {name: given[name] for name in order if name in given}
            object.__setattr__(self, field, MappingProxyType(ordered))

    @classmethod
    def draft(cls, terms: Terms, identities: Mapping[str, PublicIdentity]) -> Self:
        """Put terms and identities together; nobody has signed yet."""
        return cls(terms, identities, {})

    @cached_property
    def statement(self) -> bytes:
        """The canonical bytes of terms and identities."""
        return canonical.compact(self._agreed())

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the statement, hex: names this version of the contract everywhere."""
        return hashlib.sha256(self.statement).hexdigest()

    def signed_by(self, identity: Identity) -> Self:
        """Return the contract with this member's signature.

        Raises:
            ContractInvalid: if the contract names nobody with exactly this public identity.
        """
        if self.identities.get(identity.name) != identity.public:
            raise ContractInvalid(
                f"identities.{identity.name}: the contract doesn't name this identity",
                remedy="Sign with the identity that the contract names, or draft it again.",
            )
        signature = identity.sign(_DOMAIN + self.statement)
        return replace(self, signatures={**self.signatures, identity.name: signature})

    def merged(self, other: "Contract") -> Self:
        """Return the contract with the signatures of both copies.

        Raises:
            ContractInvalid: if they are different contracts, or differ in one's signature.
        """
        if self.hash != other.hash:
            raise ContractInvalid(
                f"room: these are two different contracts, {self.hash[:16]} and {other.hash[:16]}",
                remedy="Merge copies of the same version only.",
            )
        for name in self.signatures.keys() & other.signatures.keys():
            if self.signatures[name] != other.signatures[name]:
                raise ContractInvalid(f"signatures.{name}: the two copies differ", party=name)
        return replace(self, signatures={**self.signatures, **other.signatures})

    def check(self, today: dt.date | None = None) -> None:
        """Return if the contract holds on the day `today` (UTC, default: now).

        Raises:
            ContractInvalid: naming the first field that doesn't hold, and its member.
        """
        self.check_draft(today)
        for name in self.terms.members:
            if name not in self.signatures:
                raise ContractInvalid(
                    f"signatures.{name}: the member has not signed",
                    party=name,
                    remedy=f"Let {name} run 'cleanroom contract sign'.",
                )
        for name, signature in self.signatures.items():
            self._check_signature(name, signature)

    def check_draft(self, today: dt.date | None = None) -> None:
        """Return if everything but the signatures holds; raises as `check` does."""
        day = today or dt.datetime.now(dt.UTC).date()
        if day > self.terms.room.expires:
            raise ContractInvalid(f"room.expires: expired on {self.terms.room.expires}")
        for name in (*self.terms.members, COORDINATOR):
            if name not in self.identities:
                raise ContractInvalid(f"identities.{name}: missing", party=name)
        for name, identity in self.identities.items():
            if name not in self.terms.members and name != COORDINATOR:
                raise ContractInvalid(f"identities.{name}: not a member")
            _check_identity(name, identity, day)
        _check_distinct(self.identities)

    def save(self, path: Path | str) -> None:
        """Write the contract's file, whole or not at all."""
        content = self.to_bytes()
        if len(content) > MAX_BYTES:
            raise ContractInvalid(f"tables: the contract has more than {MAX_BYTES} bytes")
        files.replace(Path(path), content, ContractInvalid)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote, and nothing but that; `check` is left to the caller.

        Raises:
            ContractInvalid: naming the field that doesn't decode.
        """
        try:
            content = files.read_bounded(Path(path), MAX_BYTES, ContractInvalid)
        except ContractInvalid as error:
            raise ContractInvalid(error.message, remedy="Name a contract's file.") from None
        if not content.lstrip().startswith(b"{"):
            raise ContractInvalid(f"{path} is not a contract's file", remedy=_NOT_A_CONTRACT)
        return cls.from_bytes(content)

    def to_bytes(self) -> bytes:
        """Return the one file that stands for this contract with these signatures."""
        signatures: canonical.Json = {
            name: base64.b64encode(signature).decode()
            for name, signature in self.signatures.items()
        }
        return canonical.readable({"format": FORMAT, **self._agreed(), "signatures": signatures})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Decode what `to_bytes` returned; any other form of the same contract is refused."""
        if len(content) > MAX_BYTES:
            raise ContractInvalid(f"a contract has at most {MAX_BYTES} bytes")
        try:
            file = _File.model_validate_json(content)
        except ValidationError as error:
            raise ContractInvalid(first_fault(error)) from None
        contract = cls(
            Terms.of(file.terms),
            {name: _identity(name, fields) for name, fields in file.identities.items()},
            {name: _signature(name, text) for name, text in file.signatures.items()},
        )
        if contract.to_bytes() != content:
            raise ContractInvalid("the file was edited: it isn't the form that was written")
        return contract

    def _agreed(self) -> dict[str, canonical.Json]:
        identities: canonical.Json = {
            name: dict(identity.fields()) for name, identity in self.identities.items()
        }
        return {"terms": canonical.plain(self.terms), "identities": identities}

    def _check_signature(self, name: str, signature: bytes) -> None:
        if name not in self.identities:
            raise ContractInvalid(f"signatures.{name}: not a member")
        try:
            self.identities[name].verify(_DOMAIN + self.statement, signature)
        except NotAuthorised:
            raise ContractInvalid(
                f"signatures.{name}: not this member's signature of this contract", party=name
            ) from None


def _check_identity(name: str, identity: PublicIdentity, day: dt.date) -> None:
    where = f"identities.{name}"
    if identity.name != name:
        raise ContractInvalid(f"{where}.name: it is {identity.name!r}", party=name)
    try:
        first, last = identity.valid_from.date(), identity.valid_until.date()
    except IdentityInvalid as error:
        raise ContractInvalid(f"{where}.certificate: {error.message}", party=name) from None
    if not first <= day <= last:
        raise ContractInvalid(
            f"{where}.certificate: valid from {first} to {last} only",
            party=name,
            remedy=f"Let {name} create a new identity; every member signs a new version.",
        )


def _check_distinct(identities: Mapping[str, PublicIdentity]) -> None:
    """Refuse two names behind one key: one process could then speak for both."""
    signing: dict[bytes, str] = {}
    channel: dict[bytes, str] = {}
    for name, identity in identities.items():
        other = signing.setdefault(identity.signing_key, name)
        if other != name:
            raise ContractInvalid(f"identities.{name}.signing_key: the same as {other}'s")
        other = channel.setdefault(identity.channel_key, name)
        if other != name:
            raise ContractInvalid(f"identities.{name}.certificate: the same key as {other}'s")


def _identity(name: str, fields: PublicFields) -> PublicIdentity:
    try:
        return PublicIdentity.of(fields)
    except IdentityInvalid as error:
        raise ContractInvalid(f"identities.{name}: {error.message}", party=name) from None


def _signature(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ContractInvalid(f"signatures.{name}: not base64", party=name) from None
