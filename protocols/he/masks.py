"""Pairwise masks that cancel in the sum over all: what a single contribution shows is uniform."""

import hashlib
from collections.abc import Mapping

import numpy as np

from protocols.pairwise import pairs
from protocols.randomness import stream
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
    total = np.zeros(n, dtype=np.uint64)
    for secret, pair, first in pairs(me, secrets, purpose):
        words = uniform(secret, pair, n, modulus)
        total = add(total, words if first else negate(words, modulus), modulus)
    return total


def wide_mask(me: str, secrets: Mapping[str, bytes], purpose: str, modulus: int) -> int:
    """Return this contributor's mask of one number mod a modulus of any size, like `mask`.

    Security: 64 bits more than the modulus are drawn and reduced: within 2^-64 of uniform.
    """
    n = modulus.bit_length() // 64 + 2
    total = 0
    for secret, pair, first in pairs(me, secrets, purpose):
        drawn = int.from_bytes(stream(secret, pair, n).tobytes(), "little")
        total += drawn if first else -drawn
    return total % modulus


def uniform(key: bytes, purpose: str, n: int, modulus: int) -> U64:
    """Return n exactly uniform words below `modulus`: of AES-CTR words, those that are below."""
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


def word(modulus: int, *parts: str | int) -> int:
    """Return a number below `modulus` that the parts determine, as good as uniform."""
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha512(text.encode()).digest(), "little") % modulus
