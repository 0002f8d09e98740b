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


class ParametersRefused(ValueError):
    """Parameters that are unknown, too weak, or don't fit each other."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One parameter set.

    Attributes:
        degree: of the polynomial modulus, as many slots a ciphertext has.
        coefficient_bits: sizes of the primes of the coefficient modulus. The last one is for
            keys alone: ciphertexts live modulo the others.
        plain_bits: size of the prime modulo which slots are exact.
        kept_primes: how many primes a reply keeps; the others are switched away before it leaves.
    """

    name: str
    degree: int
    coefficient_bits: tuple[int, ...]
    plain_bits: int
    kept_primes: int

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


SUM = Parameters("bfv-sum-1", 8192, (48, 48, 49), 60, 2)
"""For sums alone: 28 bits of noise budget fresh, 21 after a hundred additions."""

PRODUCT = Parameters("bfv-product-1", 8192, (43, 43, 44, 44, 44), 60, 2)
"""For one product with a full-range plaintext: 106 bits fresh, 42 after it."""

KNOWN: Final = {parameters.name: parameters for parameters in (SUM, PRODUCT)}


def parameters_of(name: str) -> Parameters:
    """Return the parameters of that name.

    Raises:
        ParametersRefused: if there are none.
    """
    if name not in KNOWN:
        raise ParametersRefused("unknown parameters")
    return KNOWN[name]
