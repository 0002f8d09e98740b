"""The manifest of a bundle: every file's hash, under one member's signature.

Rule: there is one form of the bytes. Whatever isn't exactly that form, listed with exactly that
hash, makes the bundle invalid; a file that isn't listed does, too.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.contract.fields import Name
from cleanroom.errors import EvidenceInvalid
from cleanroom.identity.files import read_bounded
from cleanroom.identity.identity import Identity, PublicIdentity

FILE, SIGNATURE = "manifest.json", "manifest.sig"
MAX_BYTES, MAX_FILES = 4 << 20, 10_000
_SIGNATURE_BYTES = 64
_DOMAIN = b"cleanroom evidence v1\n"
_PATH = r"^[a-z0-9][a-z0-9_.-]*(/[a-z0-9][a-z0-9_.-]*)?$"

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What a bundle holds.

    Attributes:
        made_at: in UTC, to the second.
        files: path -> SHA-256, in the order of paths.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal["cleanroom evidence v1"] = "cleanroom evidence v1"
    member: Name
    room: Annotated[str, Field(max_length=64)]
    contract_hash: Hash
    made_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    files: Annotated[
        Mapping[Annotated[str, Field(pattern=_PATH, max_length=200)], Hash],
        Field(max_length=MAX_FILES),
    ]

    @property
    def day(self) -> dt.date:
        return dt.datetime.fromisoformat(self.made_at).date()

    def to_bytes(self) -> bytes:
        """Return the one form of this manifest."""
        return canonical.readable(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Decode what `to_bytes` returned.

        Raises:
            EvidenceInvalid: if it is anything else.
        """
        try:
            manifest = cls.model_validate_json(content)
            dt.datetime.fromisoformat(manifest.made_at)
        except (ValidationError, ValueError):
            raise EvidenceInvalid(f"{FILE}: not a manifest") from None
        if manifest.to_bytes() != content:
            raise EvidenceInvalid(f"{FILE}: edited, it isn't in the form that was written")
        return manifest


def seal(folder: Path, manifest: Manifest, identity: Identity) -> None:
    """Write manifest and signature into a folder whose files it lists."""
    content = manifest.to_bytes()
    (folder / FILE).write_bytes(content)
    (folder / SIGNATURE).write_text(identity.sign(_DOMAIN + content).hex() + "\n")


def read(folder: Path) -> tuple[Manifest, bytes]:
    """Return a bundle's manifest and its signature; whose, `check_signature` says.

    Raises:
        EvidenceInvalid: if they are missing or malformed.
    """
    text = read_bounded(folder / SIGNATURE, 2 * _SIGNATURE_BYTES + 1, EvidenceInvalid)
    if not re.fullmatch(rb"[0-9a-f]{128}\n", text):
        raise EvidenceInvalid(f"{SIGNATURE}: not a signature")
    manifest = Manifest.from_bytes(read_bounded(folder / FILE, MAX_BYTES, EvidenceInvalid))
    return manifest, bytes.fromhex(text.decode())


def check_signature(manifest: Manifest, signature: bytes, signer: PublicIdentity) -> None:
    """Return if a member signed this very manifest.

    Raises:
        NotAuthorised: otherwise.
    """
    signer.verify(_DOMAIN + manifest.to_bytes(), signature)


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, but for manifest and signature.

    Raises:
        EvidenceInvalid: if there is anything but files and folders, or too many.
    """
    try:
        found = dict(sorted(_hashed(folder)))
    except OSError as error:
        raise EvidenceInvalid(f"{folder}: cannot be read: {error.strerror}") from None
    if len(found) > MAX_FILES:
        raise EvidenceInvalid(f"more than {MAX_FILES} files")
    return found


def _hashed(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise EvidenceInvalid(f"{name}: neither file nor folder")
        if path.is_file() and name not in (FILE, SIGNATURE):
            with path.open("rb") as file:
                yield name, hashlib.file_digest(file, "sha256").hexdigest()
