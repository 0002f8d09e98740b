"""Pairwise masks that cancel in the sum over all: what a single contribution shows is uniform."""

import hashlib
from collections.abc import Mapping

import numpy as np

from protocols.randomness import KEY_BYTES, stream
from protocols.rounds import U64


def mask(me: str, secrets: Mapping[str, bytes], purpose: str, n: int, modulus: int) -> U64:
    """Return this contributor's mask of n words mod `modulus`; those of all add up to 0.

    Args:
        secrets: other contributor -> the 32-byte secret that the two alone share.
        purpose: contract, plan and session; used once with these secrets.
        modulus: at most 2^63.

    Raises:
        ValueError: if a secret has another length, or one is shared with itself.

    Cost: none on the wire; AES-CTR of n words a pair.
    Security: whoever lacks one contributor's secrets with two honest others sees uniform words.
    Source: Bonawitz et al., CCS 2017, section 4.1, without their dropout recovery.
    """
    if me in secrets or any(len(secret) != KEY_BYTES for secret in secrets.values()):
        raise ValueError(f"pairwise secrets have {KEY_BYTES} bytes and two holders")
    total = np.zeros(n, dtype=np.uint64)
    for other, secret in secrets.items():
        pair = f"{purpose}|{min(me, other)}|{max(me, other)}"
        words = uniform(secret, pair, n, modulus)
        total = add(total, words if me < other else negate(words, modulus), modulus)
    return total


def uniform(key: bytes, purpose: str, n: int, modulus: int) -> U64:
    """Return n exactly uniform words below `modulus`: AES-CTR words of its width, others dropped."""
    width = np.uint64(64 - (modulus - 1).bit_length())
    parts: list[U64] = []
    missing, block = n, 0
    while missing > 0:
        words = stream(key, f"{purpose}|{block}", missing + 64) >> width
        parts.append(words[words < modulus][:missing])
        missing, block = missing - parts[-1].size, block + 1
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def add(a: U64, b: U64, modulus: int) -> U64:
    """Return a + b mod `modulus`, at most 2^63, of words below it."""
    total = a + b
    return np.where(total >= modulus, total - np.uint64(modulus), total)


def negate(a: U64, modulus: int) -> U64:
    """Return -a mod `modulus` of words below it."""
    return np.where(a == 0, a, np.uint64(modulus) - a)


def word(text: str, modulus: int) -> int:
    """Return a word below `modulus` that the text determines, statistically uniform."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest, "little") % modulus
