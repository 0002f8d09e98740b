"""Secrets that two members of a session share, by keys made for it alone.

Rule: a key of one session, never written. Its public half is believed because the statement that
holds it is signed by the member's identity; who records a session and steals that identity later
learns no secret of it.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cleanroom.errors import PeerMisbehaved

SECRET_BYTES = 32
_DOMAIN = b"cleanroom exchange v1\n"


class Exchange:
    """This member's X25519 key of one session. Not printed, copied or pickled."""

    __slots__ = ("_key", "public")

    def __init__(self) -> None:
        self._key = X25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw().hex()

    def __repr__(self) -> str:
        return f"Exchange({self.public[:8]})"

    def __reduce__(self) -> str:
        raise TypeError("private keys are not pickled or copied")

    def secret(self, other: str, public: str, purpose: str) -> bytes:
        """Return the 32 bytes that this member and `other` share for one purpose.

        Args:
            public: the other's key, 64 hexadecimal digits.
            purpose: what the secret is bound to; both must name the same.

        Raises:
            PeerMisbehaved: if the other's key is one that gives no secret.
        """
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(public)))
        except ValueError:
            raise PeerMisbehaved("its key of this session is none", party=other) from None
        first, second = sorted((self.public, public))
        info = _DOMAIN + f"{first}\n{second}\n{purpose}".encode()
        return HKDF(hashes.SHA256(), SECRET_BYTES, salt=None, info=info).derive(shared)
