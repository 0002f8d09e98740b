"""Correlated randomness that needs no messages: streams under pairwise keys, one per gate."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from protocols.rounds import U64, Gate, ProtocolError

KEY_BYTES = 32
BLOCK_WORDS = 1 << 13  # a block of each stream and what it masks stay in a cache of a core
_SLACK = 2  # words that `update_into` wants behind its output
_ZEROS = memoryview(bytes(8 * BLOCK_WORDS))


class GateReused(ProtocolError):
    """A gate drew randomness twice; reusing a mask would open the values behind it."""


def stream(key: bytes, purpose: str, n_words: int) -> U64:
    """Return `n_words` pseudorandom words, AES-128-CTR under a key for this purpose alone.

    Source: NIST SP 800-38A for CTR; the key is BLAKE2b-128 of `purpose` keyed by `key`.
    """
    out = np.empty(n_words + _SLACK, dtype=np.uint64)
    encryptor = _encryptor(key, purpose)
    for start in range(0, n_words, BLOCK_WORDS):
        n = min(BLOCK_WORDS, n_words - start)
        encryptor.update_into(_ZEROS[: 8 * n], out[start : start + n + _SLACK].data.cast("B"))
    return out[:n_words]


def add_streams(words: U64, streams: Iterable[tuple[bytes, str, bool]]) -> None:
    """Add to `words`, in place, what `stream` returns for each key and purpose, or subtract it.

    Args:
        streams: key, purpose, and whether its words are added.

    Cost: no memory beyond a block; every word of the sum is touched while it is in the cache.
    """
    drawn = [(_encryptor(key, purpose), plus) for key, purpose, plus in streams]
    block = np.empty(min(BLOCK_WORDS, words.size) + _SLACK, dtype=np.uint64)
    raw = block.data.cast("B")
    for start in range(0, words.size, BLOCK_WORDS):
        part = words[start : start + BLOCK_WORDS]
        for encryptor, plus in drawn:
            encryptor.update_into(_ZEROS[: 8 * part.size], raw)
            (np.add if plus else np.subtract)(part, block[: part.size], out=part)


def _encryptor(key: bytes, purpose: str) -> CipherContext:
    aes_key = hashlib.blake2b(purpose.encode(), key=key, digest_size=16).digest()
    return Cipher(algorithms.AES(aes_key), modes.CTR(bytes(16))).encryptor()


@dataclass(slots=True)
class Prss:
    """One party's two pairwise keys, of which each neighbour holds one.

    Party i holds keys k_i and k_{i+1}, 32 bytes each, agreed over an authenticated channel
    and derived for one session only.
    Source: Cramer, Damgard, Ishai, TCC 2005, for the idea.
    """

    key_own: bytes = field(repr=False)
    key_next: bytes = field(repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def zero(self, gate: Gate, n: int) -> U64:
        """Return this party's additive share of 0 in (Z_2^64)^n; alone it is uniform.

        Raises:
            GateReused: if `gate` has drawn before in this session.
        """
        own, following = self.pair(gate, n)
        own -= following
        return own

    def zero_bits(self, gate: Gate, n: int) -> U64:
        """Return this party's XOR share of n zero words; alone it is uniform."""
        own, following = self.pair(gate, n)
        own ^= following
        return own

    def pair(self, gate: Gate, n: int) -> tuple[U64, U64]:
        """Return n words known also to the previous party, and n known also to the next."""
        use = self._claim(f"{gate}|pair")
        return stream(self.key_own, use, n), stream(self.key_next, use, n)

    def blocks(self, gate: Gate, n: int) -> Iterator[tuple[slice, U64, U64]]:
        """Yield the two streams of `pair` in short blocks, each with its place among the n words.

        A block is overwritten by the next one.
        """
        use = self._claim(f"{gate}|pair")
        streams = _encryptor(self.key_own, use), _encryptor(self.key_next, use)
        both = np.empty((2, min(BLOCK_WORDS, n) + _SLACK), dtype=np.uint64)
        raw = [row.data.cast("B") for row in both]
        for start in range(0, n, BLOCK_WORDS):
            m = min(BLOCK_WORDS, n - start)
            for encryptor, block in zip(streams, raw, strict=True):
                encryptor.update_into(_ZEROS[: 8 * m], block)
            yield slice(start, start + m), both[0, :m], both[1, :m]

    def with_prev(self, gate: Gate, n: int) -> U64:
        """Return n words that this party and the previous one know (its `with_next`)."""
        self._claim(f"{gate}|prev")
        return stream(self.key_own, f"{gate}|one", n)

    def with_next(self, gate: Gate, n: int) -> U64:
        """Return n words that this party and the next one know (its `with_prev`)."""
        self._claim(f"{gate}|next")
        return stream(self.key_next, f"{gate}|one", n)

    def _claim(self, use: str) -> str:
        if use in self._used:
            raise GateReused(use)
        self._used.add(use)
        return use
