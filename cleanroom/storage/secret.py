"""Secret keys of 32 bytes, and bytes sealed under them at one place alone.

Rule: the only file that encrypts what is kept. A key's bytes leave it for a key file and for
nothing else.
"""

import hashlib
import hmac
import secrets
import struct
from typing import NamedTuple, NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SUITE = "aes256gcm-hkdf.sha256-blake2b-1"
KEY_BYTES = 32
ID_BYTES = 16
NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16


class SealBroken(Exception):
    """These bytes weren't sealed under this key at this place."""


class Place(NamedTuple):
    """Where sealed bytes stand; elsewhere they don't open.

    Attributes:
        room: whose state it is.
        version: larger than that of anything that stood here before.
    """

    room: str
    table: bytes
    row: bytes
    column: str
    version: int

    def to_bytes(self) -> bytes:
        """Return the associated data: every part behind its length."""
        parts = SUITE.encode(), self.room.encode(), self.table, self.row, self.column.encode()
        return b"".join(struct.pack(">I", len(part)) + part for part in parts) + struct.pack(
            ">Q", self.version
        )


class Secret:
    """A key. Not printed, compared, copied or pickled.

    Attributes:
        id: 16 bytes that name it and tell nothing about it.
    """

    __slots__ = ("_aead", "_raw", "id")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._raw = raw
        self._aead = AESGCM(raw)
        self.id = self._derived("id")[:ID_BYTES]

    @classmethod
    def new(cls) -> Self:
        """Make a key that nobody has."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, purpose: str) -> "Secret":
        """Return the key for one purpose; from it, nothing follows about this one."""
        return Secret(self._derived(purpose))

    def seal(self, content: bytes, place: Place) -> bytes:
        """Encrypt bytes for one place: nonce, ciphertext and tag, 28 bytes more."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, content, place.to_bytes())

    def unseal(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed for this very place.

        Raises:
            SealBroken: if it wasn't.
        """
        if len(sealed) < OVERHEAD_BYTES:
            raise SealBroken
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._aead.decrypt(nonce, rest, place.to_bytes())
        except InvalidTag:
            raise SealBroken from None

    def mac(self, *parts: bytes) -> bytes:
        """Return 32 bytes that nobody without the key can tell from random ones."""
        framed = b"".join(struct.pack(">I", len(part)) + part for part in parts)
        return hmac.digest(self._raw, framed, "sha256")

    def fold(self, content: bytes) -> int:
        """Return a keyed hash as a number below 2^256."""
        return int.from_bytes(hashlib.blake2b(content, key=self._raw, digest_size=32).digest())

    def exposed(self) -> bytes:
        """Return the bytes of the key, for a key file."""
        return self._raw

    def __repr__(self) -> str:
        return f"Secret({self.id.hex()[:8]})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("keys are not pickled or copied")

    def _derived(self, purpose: str) -> bytes:
        info = f"cleanroom {SUITE} {purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._raw)
