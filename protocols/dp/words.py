"""Uniform words from a key, read on and on, and uniform integers made of them.

Rule: what every sampler draws from; nothing here knows of a distribution but the uniform one.
"""

from dataclasses import dataclass, field

import numpy as np

from protocols.randomness import BLOCK_WORDS, KEY_BYTES, stream
from protocols.rounds import U64


@dataclass(slots=True)
class Words:
    """A stream of uniform words that no two calls share.

    Attributes:
        key: 32 bytes from `secrets`, used for this stream alone.
        purpose: names what is drawn.
    """

    key: bytes = field(repr=False)
    purpose: str = "noise"
    _block: int = field(default=0, repr=False)
    _left: U64 = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a key of {len(self.key)} bytes; {KEY_BYTES} needed")

    def take(self, n: int) -> U64:
        """Return the next n words."""
        if n > self._left.size:
            fresh = stream(self.key, f"{self.purpose}|{self._block}", max(n, BLOCK_WORDS))
            self._block += 1
            self._left = np.concatenate([self._left, fresh])
        taken, self._left = self._left[:n], self._left[n:]
        return taken


def below(words: Words, bound: U64 | int, n: int) -> U64:
    """Return n uniform integers, each at least 0 and below its bound.

    A word w is w mod bound if it lies in one of the whole runs of `bound` words that fit below
    2^64, and is drawn again else; each residue then has the same number of words.

    Args:
        bound: at least 1; one for all, or of shape (n,).
    """
    drawn = words.take(n)
    at = bound if isinstance(bound, np.ndarray) else np.uint64(bound)
    out = drawn % at
    again = (drawn - out > _last_run(at)).nonzero()[0]
    while again.size:
        drawn = words.take(again.size)
        at = bound[again] if isinstance(bound, np.ndarray) else np.uint64(bound)
        rest = drawn % at
        out[again] = rest
        again = again[drawn - rest > _last_run(at)]
    return out


def _last_run(bound: U64 | np.uint64) -> U64 | np.uint64:
    """Return 2^64 - bound, where the last whole run may begin at the latest."""
    return ~bound + np.uint64(1)
