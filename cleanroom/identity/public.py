"""What everybody may know of a member: its name, signing key, certificate and fingerprint.

Rule: public bytes and their one JSON form; nothing here has ever seen a private key.
"""

import base64
import datetime as dt
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.errors import IdentityInvalid, NotAuthorised
from cleanroom.identity import certificate as x509
from cleanroom.identity import files
from cleanroom.identity.fingerprint import six_words

PUBLIC_FILE = "identity.json"
MAX_BYTES = 16384

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_KEY_BYTES = 32


def check_name(name: str) -> None:
    """Return if members may be called so; raises IdentityInvalid if not."""
    if not _NAME.fullmatch(name):
        raise IdentityInvalid("name: small letters, digits and _ only, at most 63")


def in_file(path: Path, error: IdentityInvalid) -> IdentityInvalid:
    """Return the same error with the path of the file in its message."""
    if str(path) in error.message:
        return error
    return IdentityInvalid(f"{path}: {error.message}", remedy=error.remedy)


class PublicFields(BaseModel):
    """A public identity as JSON says it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(max_length=63)]
    signing_key: Annotated[str, Field(max_length=64)]
    certificate: Annotated[str, Field(max_length=x509.MAX_BYTES)]


@dataclass(frozen=True)
class PublicIdentity:
    """What everybody may know of a member.

    Attributes:
        signing_key: Ed25519, 32 raw bytes.
        certificate: PEM, P-256, self-signed; common name `name`, DNS name `name`.cleanroom.
    """

    name: str
    signing_key: bytes = field(repr=False)
    certificate: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.signing_key) != _KEY_BYTES:
            raise IdentityInvalid(f"signing_key of {self.name}: not {_KEY_BYTES} bytes")
        if not self.certificate.isascii() or len(self.certificate) > x509.MAX_BYTES:
            raise IdentityInvalid(f"certificate of {self.name}: not PEM of a sensible size")

    @cached_property
    def fingerprint(self) -> str:
        """Six words to compare over another channel; they cover every byte of the identity."""
        return six_words(self.name.encode(), self.signing_key, self.certificate)

    @cached_property
    def valid_from(self) -> dt.datetime:
        return x509.check(self.certificate, self.name).not_valid_before_utc

    @cached_property
    def valid_until(self) -> dt.datetime:
        return x509.check(self.certificate, self.name).not_valid_after_utc

    @cached_property
    def channel_key(self) -> bytes:
        """The certificate's public key as DER."""
        return x509.public_key(x509.check(self.certificate, self.name))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return if `signature` is this member's over `message`.

        Raises:
            NotAuthorised: if not.
        """
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(self.signing_key)
            key.verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotAuthorised("the signature doesn't verify", party=self.name) from None

    def fields(self) -> dict[str, str]:
        """Return the identity as JSON fields."""
        return {
            "name": self.name,
            "signing_key": base64.b64encode(self.signing_key).decode(),
            "certificate": self.certificate.decode(),
        }

    @classmethod
    def of(cls, fields: PublicFields) -> Self:
        """Build from decoded fields; raises IdentityInvalid naming the one that doesn't hold."""
        try:
            signing_key = base64.b64decode(fields.signing_key, validate=True)
        except ValueError:
            raise IdentityInvalid("signing_key: not base64") from None
        identity = cls(fields.name, signing_key, fields.certificate.encode())
        x509.check(identity.certificate, identity.name)
        return identity

    def to_json(self) -> str:
        """Return the one text that stands for this identity."""
        return json.dumps(self.fields(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote, and nothing but that.

        Raises:
            IdentityInvalid: for unknown or missing fields, malformed keys or any other form.
        """
        content = text.encode() if isinstance(text, str) else text
        if len(content) > MAX_BYTES:
            raise IdentityInvalid(f"a public identity has at most {MAX_BYTES} bytes")
        try:
            identity = cls.of(PublicFields.model_validate_json(content))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in fault["loc"]) or "identity"
            raise IdentityInvalid(f"{where}: {fault['msg']}") from None
        if identity.to_json().encode() != content:
            raise IdentityInvalid("the file was edited: it isn't the form that was written")
        return identity

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a public file, or the public file of an identity's folder."""
        path = path / PUBLIC_FILE if path.is_dir() else path
        try:
            return cls.from_json(files.read_bounded(path, MAX_BYTES, IdentityInvalid))
        except IdentityInvalid as error:
            raise in_file(path, error) from None
