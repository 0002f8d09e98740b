"""A member's two keys: Ed25519 for what it signs, P-256 for the channels it opens.

Rule: private bytes leave an `Identity` only as files of mode 0600 and towards the TLS library.
"""

import datetime as dt
from pathlib import Path
from typing import NoReturn, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from cleanroom.errors import IdentityInvalid
from cleanroom.identity import certificate as x509
from cleanroom.identity import files
from cleanroom.identity.public import (
    MAX_BYTES,
    PUBLIC_FILE,
    PublicIdentity,
    check_name,
    in_file,
)

__all__ = ["PUBLIC_FILE", "SIGNING_FILE", "TLS_FILE", "Identity", "PublicIdentity"]

SIGNING_FILE = "signing.key"
TLS_FILE = "tls.key"


class Identity:
    """A member's private keys beside its public identity. Not printed, copied or pickled."""

    __slots__ = ("_signing", "_tls", "public")

    def __init__(
        self,
        public: PublicIdentity,
        signing: ed25519.Ed25519PrivateKey,
        tls: ec.EllipticCurvePrivateKey,
    ) -> None:
        if signing.public_key().public_bytes_raw() != public.signing_key:
            raise IdentityInvalid(f"{SIGNING_FILE} doesn't belong to {PUBLIC_FILE}")
        own = tls.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if own != public.channel_key:
            raise IdentityInvalid(f"{TLS_FILE} doesn't belong to {PUBLIC_FILE}")
        self.public = public
        self._signing = signing
        self._tls = tls

    @classmethod
    def create(
        cls, name: str, valid_days: int = x509.VALID_DAYS, *, now: dt.datetime | None = None
    ) -> Self:
        """Make fresh keys for `name`, valid from `now` (default: this moment)."""
        if not 1 <= valid_days <= 3650:
            raise IdentityInvalid("valid_days: 1 to 3650")
        check_name(name)
        signing = ed25519.Ed25519PrivateKey.generate()
        pem, certificate = x509.issue(name, valid_days, now or dt.datetime.now(dt.UTC))
        public = PublicIdentity(name, signing.public_key().public_bytes_raw(), certificate)
        return cls(public, signing, _tls_key(pem))

    @property
    def name(self) -> str:
        return self.public.name

    @property
    def certificate(self) -> bytes:
        return self.public.certificate

    @property
    def tls_key(self) -> bytes:
        """The private key of the certificate as PEM, for the TLS library alone."""
        return _pem(self._tls)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of `message`, 64 bytes."""
        return self._signing.sign(message)

    def save(self, folder: Path | str) -> None:
        """Write the identity into a folder (0700): private files 0600, `identity.json` last.

        Raises:
            IdentityInvalid: if files exist already or others may enter the folder.
        """
        folder = Path(folder)
        files.private_folder(folder, create=True)
        files.write_new(folder / SIGNING_FILE, _pem(self._signing), mode=0o600)
        files.write_new(folder / TLS_FILE, self.tls_key, mode=0o600)
        files.write_new(folder / PUBLIC_FILE, self.public.to_json().encode(), mode=0o644)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read an identity that `save` wrote.

        Raises:
            IdentityInvalid: naming the file that is missing, malformed, open to others, of
                another identity, or whose certificate isn't valid now.
        """
        folder = Path(folder)
        files.private_folder(folder, create=False)
        public = PublicIdentity.read(folder / PUBLIC_FILE)
        if not public.valid_from <= dt.datetime.now(dt.UTC) <= public.valid_until:
            raise IdentityInvalid(
                f"{folder / PUBLIC_FILE}: the certificate is valid from "
                f"{public.valid_from:%Y-%m-%d} to {public.valid_until:%Y-%m-%d} only"
            )
        signing_pem = files.read_private(folder / SIGNING_FILE, MAX_BYTES)
        tls_pem = files.read_private(folder / TLS_FILE, MAX_BYTES)
        try:
            return cls(public, _signing_key(signing_pem), _tls_key(tls_pem))
        except IdentityInvalid as error:
            raise in_file(folder, error) from None

    def __repr__(self) -> str:
        return f"Identity(name={self.name!r}, fingerprint={self.public.fingerprint!r})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("private keys are not pickled or copied")


def _pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _signing_key(pem: bytes) -> ed25519.Ed25519PrivateKey:
    key = _private_key(pem, SIGNING_FILE)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise IdentityInvalid(f"{SIGNING_FILE}: not an Ed25519 key")
    return key


def _tls_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = _private_key(pem, TLS_FILE)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityInvalid(f"{TLS_FILE}: not a P-256 key")
    return key


def _private_key(pem: bytes, file: str) -> object:
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise IdentityInvalid(f"{file}: not an unencrypted PEM private key") from None
