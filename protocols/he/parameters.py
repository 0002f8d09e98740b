"""Which BFV parameters there are, and the check that none is weaker than 128 bits.

Rule: parameters are chosen here by name; a peer can name one, never bring its own.
"""

from dataclasses import dataclass
from typing import Final

MAX_COEFFICIENT_BITS: Final = {2048: 54, 4096: 109, 8192: 218, 16384: 438}
"""Degree -> most bits of the coefficient modulus for 128 bits of security, ternary secrets.

Source: Albrecht et al., Homomorphic Encryption Security Standard, 2018, table 1 (classical).
"""

LEAST_BUDGET_BITS = 20  # of noise budget; with less a ciphertext is not decrypted
MAX_CONTRIBUTORS = 128  # whose ciphertexts may be added up within the noise budget


class ParametersRefused(ValueError):
    """Parameters that are unknown, too weak, or don't fit each other."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One parameter set.

    Attributes:
        degree: of the polynomial modulus, as many words a ciphertext holds.
        coefficient_bits: sizes of the primes of the coefficient modulus. The last one is for
            keys alone: ciphertexts live modulo the others.
        plain_bits: size of the plain modulus t, modulo which words are exact.
        kept_primes: how many primes a reply keeps; the others are switched away before it leaves.
        flood_bits: 0 for sums alone: then t is a prime and words lie in slots, which multiply one
            by one. Otherwise t is 2^plain_bits, words are a polynomial's coefficients, and
            replies are flooded with noise uniform in [-2^flood_bits, 2^flood_bits).
    """

    name: str
    degree: int
    coefficient_bits: tuple[int, ...]
    plain_bits: int
    kept_primes: int
    flood_bits: int = 0

    @property
    def most_total(self) -> int:
        """A public bound under half of the plain modulus, whichever prime of its size that is."""
        return (1 << (self.plain_bits - 1)) - (1 << (self.plain_bits // 2))

    def check(self) -> None:
        """Check that the parameters are at least as strong as 128 bits.

        Raises:
            ParametersRefused: naming what doesn't hold.
        """
        most = MAX_COEFFICIENT_BITS.get(self.degree)
        if most is None:
            raise ParametersRefused(f"degree {self.degree} is not in the 128-bit table")
        total = sum(self.coefficient_bits)
        if total > most:
            what = f"{total} bits of coefficient modulus at degree {self.degree}"
            raise ParametersRefused(f"{what}; 128 bits of security allow {most}")
        if not 0 < self.kept_primes < len(self.coefficient_bits):
            raise ParametersRefused("a reply keeps at least one prime, and not the keys' one")

    @property
    def max_bytes(self) -> int:
        """The most bytes that a key or ciphertext of these parameters may have."""
        return 2 * 8 * self.degree * len(self.coefficient_bits) + 1024


SUM = Parameters("bfv-sum-1", 8192, (48, 48, 20), 60, 2)
"""For sums alone: 28 bits of noise budget fresh, 21 after a hundred additions."""

FILTER = Parameters("bfv-filter-1", 8192, (60, 60, 59, 20), 49, 2, flood_bits=101)
"""For one secret linear form: totals to 2^48; 28 bits of noise budget, 21 after 128 additions.

All primes are above t, and few: that is what makes products fast.
"""

FILTER_WIDE = Parameters("bfv-filter-wide-1", 8192, (50, 50, 50, 50, 17), 59, 2, flood_bits=111)
"""The same with totals to 2^58; 29 bits of noise budget, 22 after 128 additions."""

SCORE = Parameters("bfv-score-1", 8192, (50, 50, 50, 50, 17), 56, 2, flood_bits=121)
"""For secret weights on encrypted columns: scores to 2^55; 22 bits of noise budget."""

KNOWN: Final = {one.name: one for one in (SUM, FILTER, FILTER_WIDE, SCORE)}


def parameters_of(name: str) -> Parameters:
    """Return the parameters of that name.

    Raises:
        ParametersRefused: if there are none.
    """
    if name not in KNOWN:
        raise ParametersRefused("unknown parameters")
    return KNOWN[name]
