"""Shamir's sharing of a 256-bit secret over a prime field, and its recovery at zero."""

from collections.abc import Sequence

PRIME = (1 << 256) - 189
SHARE_BYTES = 32


def split(coefficients: Sequence[int], n: int) -> list[int]:
    """Return the shares of the secret `coefficients[0]` at 1 to n.

    Args:
        coefficients: uniform below PRIME; as many as shares recover the secret.

    Cost: n * len(coefficients) products by small numbers; reduced once a share, as these are
        faster than reductions.
    Source: Shamir, CACM 1979.
    """
    shares = []
    for x in range(1, n + 1):
        value = 0
        for coefficient in reversed(coefficients):
            value = value * x + coefficient
        shares.append(value % PRIME)
    return shares


def weights(points: Sequence[int]) -> list[int]:
    """Return what shares at distinct `points` are multiplied by to add up to the secret."""
    found = []
    for x in points:
        above = below = 1
        for other in points:
            if other != x:
                above = above * other % PRIME
                below = below * (other - x) % PRIME
        found.append(above * pow(below, -1, PRIME) % PRIME)
    return found


def recover(factors: Sequence[int], shares: Sequence[int]) -> int:
    """Return the secret behind as many shares as its polynomial has coefficients."""
    return sum(f * share for f, share in zip(factors, shares, strict=True)) % PRIME
