"""Secrets of one round, each bound to session, round and pair: knowing one tells no other.

Rule: derivations alone; who may see what is said in `deals` and `member`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from protocols.pairwise import pairs
from protocols.randomness import KEY_BYTES
from protocols.secagg.roster import Roster

CHECK_BYTES = 8
Masking: TypeAlias = tuple[bytes, str, bool]  # as `randomness.add_streams` takes them


def derived(secret: bytes, use: str, roster: Roster, *numbers: int) -> bytes:
    """Return 32 bytes for one use of a uniform secret, by HKDF-Expand with SHA-256 (RFC 5869)."""
    info = f"secagg {use}\n".encode() + roster.digest
    info += b"".join(number.to_bytes(8, "little") for number in numbers)
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, info).derive(secret)


def round_secret(session_secret: bytes, roster: Roster, round_: int, a: str, b: str) -> bytes:
    """Return what a pair shares in one round. To open it opens no other round's."""
    first, second = sorted((roster.place(a), roster.place(b)))
    return derived(session_secret, "pair", roster, round_, first, second)


def pair_check(secret: bytes, asked: bytes) -> bytes:
    """Return what both of a pair tell the server, so that it sees who holds another secret."""
    return hashlib.blake2b(
        asked, key=secret, digest_size=CHECK_BYTES, person=b"pair check"
    ).digest()


def pair_masks(me: str, secrets: Mapping[str, bytes], asked: bytes) -> Iterator[Masking]:
    """Yield the masks that a member shares with others; over all members they add up to 0.

    Args:
        secrets: other member -> the pair's secret of this round.
    """
    return pairs(me, secrets, f"secagg|{asked.hex()}")


def self_mask(secret: bytes, asked: bytes, *, plus: bool) -> Masking:
    """Return a member's own mask, to be added or taken off."""
    return secret, f"secagg self|{asked.hex()}", plus
