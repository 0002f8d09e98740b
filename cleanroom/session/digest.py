"""What a member signs of all that it sent, so that whoever got it can check."""

import hashlib

from cleanroom.execution.outcome import Outcome


class Digest:
    """Of a contribution: SHA-256 of the key's id and of every ciphertext with its length.

    Attributes:
        n_bytes: of all that was added.
    """

    def __init__(self, key_id: str) -> None:
        self._hash = hashlib.sha256(key_id.encode())
        self.n_bytes = 0

    def add(self, ciphertext: bytes) -> None:
        """Cover one more ciphertext."""
        self.cover(ciphertext)
        self.n_bytes += len(ciphertext)

    def cover(self, message: bytes) -> None:
        """Cover what isn't this member's own."""
        self._hash.update(len(message).to_bytes(8, "little"))
        self._hash.update(message)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def outcome_bytes(outcome: Outcome) -> bytes:
    """Return what the digest of an outcome share covers."""
    return b"%d\n" % outcome.n + outcome.words.astype("<u8").tobytes()
