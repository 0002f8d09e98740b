"""Six words that two people compare by telephone before they trust each other's keys.

Rule: from public bytes to words. Six of 2048 words are 66 bits: whoever wants to pass for another
has to try about 2^66 key pairs.
"""

import hashlib
from functools import cache

from mnemonic import Mnemonic

_DOMAIN = b"cleanroom fingerprint v1\n"
_N_WORDS = 6
_WORD_BITS = 11


def six_words(*parts: bytes) -> str:
    """Return six words of the BIP-39 list, from SHA-256 of the parts, each behind its length."""
    digest = hashlib.sha256(_DOMAIN)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    number = int.from_bytes(digest.digest(), "big") >> (256 - _N_WORDS * _WORD_BITS)
    shifts = range((_N_WORDS - 1) * _WORD_BITS, -1, -_WORD_BITS)
    return " ".join(_words()[(number >> shift) % (1 << _WORD_BITS)] for shift in shifts)


@cache
def _words() -> tuple[str, ...]:
    return tuple(Mnemonic("english").wordlist)
