"""Values as sets of small features, each one bit: what similarity is counted on.

Rule: pure functions from a clean text to 64-bit words, most significant first. A text that isn't
missing has a bit at least. Buckets don't depend on the session: a linkage finds the same pairs
each time.
"""

import hashlib
from functools import lru_cache

BUCKETS = 64  # of pairs of letters
MOST_SET = 32  # bits of them that may be set
PER_DIGIT = 10
WORD = 64


@lru_cache(maxsize=1 << 16)
def bucket(salt: str, gram: str) -> int:
    """Return the bit of a pair of letters; the salt is the linkage's and the field's own."""
    return hashlib.sha256(f"{salt}|{gram}".encode()).digest()[0] % BUCKETS


def bigrams(salt: str, text: str) -> int:
    """Return the set of a text's pairs of letters, its ends among them, of at most 32 bits."""
    padded = f"_{text}_"
    found = {bucket(salt, padded[i : i + 2]) for i in range(len(padded) - 1)}
    return sum(1 << place for place in sorted(found)[:MOST_SET])


def digits(text: str) -> int:
    """Return a bit for each digit at its place."""
    return sum(1 << (PER_DIGIT * place + int(c)) for place, c in enumerate(text))


def word(features: int, place: int, n_words: int) -> int:
    """Return one of the words of a set of features."""
    return features >> WORD * (n_words - 1 - place) & (1 << WORD) - 1
