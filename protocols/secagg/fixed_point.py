"""Real numbers as words mod 2^64 whose sum over all members can't wrap.

Rule: one bound, one scale; who adds what up is said elsewhere.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from protocols.rounds import U64
from protocols.secagg.errors import BeyondBound, NotFinite

Floats = NDArray[np.float64]
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """Numbers of absolute value at most `bound`, of which `members` are added up.

    An entry x becomes the integer nearest to x * 2^bits. All are at most round(bound * 2^bits) in
    absolute value, and `bits` is the largest number for which `members` times that is below 2^63:
    every sum of at most so many entries is exact as a signed word.

    A decoded sum of m entries is off by less than (m + 1) * members * bound * 2^-63 for rounding
    of entries, and by half a unit in the last place of a float64.

    Raises:
        ValueError: if the bound isn't positive and finite, or there is no member.
    """

    bound: float
    members: int
    bits: int = field(init=False)

    def __post_init__(self) -> None:
        if not (0 < self.bound < math.inf and 1 <= self.members <= _LARGEST):
            raise ValueError("fixed point needs a positive finite bound and at least one member")
        # 2^(exponent - 1) <= bound < 2^exponent, so the search starts one too high at most.
        bits = 63 - math.frexp(self.bound)[1] + 1
        while self.members * self._reach(bits) > _LARGEST:
            bits -= 1
        object.__setattr__(self, "bits", bits)

    def _reach(self, bits: int) -> int:
        """Return the largest absolute value of an entry as an integer: exact, ties to even."""
        numerator, denominator = self.bound.as_integer_ratio()
        shifted = numerator << max(bits, 0)
        whole, rest = divmod(shifted, denominator << max(-bits, 0))
        twice = 2 * rest - (denominator << max(-bits, 0))
        return whole + (twice > 0 or (twice == 0 and whole % 2 == 1))

    def encode(self, values: Floats) -> U64:
        """Return the words of `values`, of the same shape.

        Raises:
            NotFinite, BeyondBound: without naming a value or a place.
        """
        if values.size and not (-self.bound <= values.min() and values.max() <= self.bound):
            if not np.isfinite(values).all():
                raise NotFinite("an update holds NaN or infinity")
            raise BeyondBound(f"an entry of an update is beyond its bound of {self.bound:g}")
        return np.rint(_scaled(values, self.bits)).astype(np.int64).view(np.uint64)

    def decode(self, words: U64) -> Floats:
        """Return the numbers that a sum of words stands for."""
        return _scaled(words.view(np.int64).astype(np.float64), -self.bits)


def _scaled(values: Floats, bits: int) -> Floats:
    """Return values * 2^bits; a factor that is no float64 goes the slow way."""
    if abs(bits) < 1000:
        return values * math.ldexp(1.0, bits)
    return np.ldexp(values, bits)
