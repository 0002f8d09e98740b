"""Random polynomials of one answer: secrets, errors and flooding noise, from one fresh key.

Rule: distributions alone; what they are added to is `blind`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from protocols.he.integers import I64
from protocols.he.masks import uniform
from protocols.randomness import KEY_BYTES, GateReused, stream
from protocols.rounds import U64

_FLIPS = 21  # on either side of one error; variance 10.5, as SEAL's
_LIMB_BITS = 13  # fits into a word beside a residue of 51 bits


@dataclass(slots=True)
class Coins:
    """AES-CTR streams, one a purpose, under 32 fresh random bytes.

    Raises:
        ValueError: if the key has another length.
    """

    key: bytes = field(repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"coins take a key of {KEY_BYTES} bytes")

    def public(self, purpose: str, n_bytes: int) -> bytes:
        """Return bytes that others may see; they tell nothing of the other streams."""
        return stream(self.key, self._claim(purpose), -(-n_bytes // 8)).tobytes()[:n_bytes]

    def words(self, purpose: str, n: int, modulus: int) -> U64:
        """Return n uniform words below `modulus`, at most 2^63."""
        return uniform(self.key, self._claim(purpose), n, modulus)

    def ternary(self, purpose: str, n: int) -> I64:
        """Return n uniform values of -1, 0, 1."""
        return uniform(self.key, self._claim(purpose), n, 3).view(np.int64) - 1

    def binomial(self, purpose: str, n: int) -> I64:
        """Return n errors: 21 coins less 21 coins."""
        words = stream(self.key, self._claim(purpose), n)
        side = np.uint64((1 << _FLIPS) - 1)
        heads = np.bitwise_count(words & side).astype(np.int64)
        tails = np.bitwise_count((words >> np.uint64(_FLIPS)) & side).astype(np.int64)
        errors: I64 = heads - tails
        return errors

    def flood_one(self, purpose: str, bits: int) -> int:
        """Return an integer uniform in [-2^bits, 2^bits)."""
        words = stream(self.key, self._claim(purpose), bits // 64 + 1)
        return int.from_bytes(words.tobytes(), "little") % (1 << (bits + 1)) - (1 << bits)

    def flood(self, purpose: str, n: int, bits: int, primes: Sequence[int]) -> U64:
        """Return n integers uniform in [-2^bits, 2^bits) as residues, shape (primes, n).

        Args:
            primes: below 2^51.
        """
        assert max(primes) < 1 << (64 - _LIMB_BITS)  # noqa: S101 -- our own logic
        n_limbs = -(-(bits + 1) // _LIMB_BITS)
        drawn = stream(self.key, self._claim(purpose), n_limbs * n).reshape(n_limbs, n)
        widths = [bits + 1 - _LIMB_BITS * (n_limbs - 1)] + [_LIMB_BITS] * (n_limbs - 1)
        limbs = [row >> np.uint64(64 - width) for row, width in zip(drawn, widths, strict=True)]
        rows = []
        for prime in primes:
            total = np.zeros(n, dtype=np.uint64)
            for limb in limbs:
                total = ((total << np.uint64(_LIMB_BITS)) + limb) % np.uint64(prime)
            rows.append((total + np.uint64(-(1 << bits) % prime)) % np.uint64(prime))
        return np.stack(rows)

    def _claim(self, purpose: str) -> str:
        if purpose in self._used:
            raise GateReused(purpose)
        self._used.add(purpose)
        return purpose


def residues_of(values: I64, primes: Sequence[int]) -> U64:
    """Return small signed integers as residues, shape (primes, n)."""
    signs = values >> 63  # all bits of negative ones
    return np.stack([values + (signs & p) for p in primes]).view(np.uint64)
