"""Encryption whose second polynomial is public randomness: whoever encrypts chooses the first only.

A question's ciphertext is (c_0, c_1) with c_1 expanded from a hash of a nonce by all who need it,
and c_0 = -c_1 s + e + (q/t) w; both in NTT form, in which they are multiplied. Were c_1 the asking
member's choice, c_1 = 1 would turn an answer into the owner's numbers. It also halves a question's
bytes.

Rule: the polynomials of one secret key; SEAL multiplies them, its own encryption draws c_1 itself.
"""

import hashlib
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import tenseal.sealapi as seal

from protocols.he.coins import Coins, residues_of
from protocols.he.integers import residues
from protocols.he.masks import uniform
from protocols.he.memory import saved
from protocols.he.parameters import Parameters
from protocols.he.scheme import Scheme, scheme_of
from protocols.rounds import U64

NONCE_BYTES = 32


class QuestionKey:
    """The secret key of one question; it is never written, and lives as long as the question.

    Args:
        coins: of this key alone.
    """

    def __init__(self, parameters: Parameters, coins: Coins) -> None:
        self._scheme = scheme_of(parameters)
        self._coins = coins
        self._secret = coins.ternary("secret", parameters.degree)

    def __repr__(self) -> str:
        return f"QuestionKey({self._scheme.parameters.name})"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is never written")

    def encrypt(self, words: U64, nonce: bytes) -> Iterator[bytes]:
        """Yield the first halves of the ciphertexts of a vector of words mod t, shape (n,).

        Cost: 3 ms and 24 bytes a word under the parameters for filters.
        Security: 128 bits, of semantic security: Ring-LWE with ternary secret, errors of 42 coins.
        """
        scheme, n = self._scheme, self._scheme.parameters.degree
        negative = scheme.factor(residues(-self._secret, scheme.modulus), scheme.fresh_level)
        for k, start in enumerate(range(0, words.size, n)):
            coin = public_polynomial(scheme, nonce, k)
            masked = scheme.in_ntt(coin, coin)
            scheme.evaluator.multiply_plain_inplace(masked, negative)
            errors = residues_of(self._coins.binomial(f"errors|{k}", n), scheme.primes)
            part = scheme.polynomials(errors, errors, scheme.fresh_level)
            scheme.evaluator.add_plain_inplace(part, scheme.plaintext(words[start : start + n]))
            scheme.evaluator.transform_to_ntt_inplace(part)
            scheme.evaluator.add_inplace(part, masked)
            keep_first(part)
            yield saved(part)

    def phase(self, ciphertext: Any) -> int:
        """Return the constant coefficient of c_0 + c_1 s, modulo the ciphertext's modulus."""
        product = seal.Ciphertext()
        factor = self._scheme.plaintext(residues(self._secret, self._scheme.modulus))
        self._scheme.evaluator.multiply_plain(ciphertext, factor, product)
        first, second = constants(ciphertext)[0], constants(product)[1]
        return _lifted([a + b for a, b in zip(first, second, strict=True)], self._scheme.primes)


def public_polynomial(scheme: Scheme, nonce: bytes, k: int) -> U64:
    """Return the uniform polynomial c_1 of a question's k-th ciphertext, in NTT form."""
    key = hashlib.sha256(b"public polynomial\n" + nonce).digest()
    n = scheme.parameters.degree
    return np.stack([uniform(key, f"{k}|{prime}", n, prime) for prime in scheme.primes])


def completed(scheme: Scheme, data: bytes, nonce: bytes, k: int) -> Any:
    """Return the ciphertext, in NTT form, whose first half a peer sent.

    Raises:
        CiphertextRefused: if it isn't one under these parameters, or brings a second half.
    """
    part = scheme.load_half(data)
    coin = public_polynomial(scheme, nonce, k)
    return scheme.sum(part, scheme.in_ntt(np.zeros_like(coin), coin))


def keep_first(ciphertext: Any) -> None:
    """Zero a ciphertext's second polynomial."""
    words = ciphertext.dyn_array()
    size = words.size()
    words.resize(size // 2, False)
    words.resize(size, True)  # with zeros


def constants(ciphertext: Any) -> list[list[int]]:
    """Return the constant coefficients of both polynomials, as residues."""
    n, primes = ciphertext.poly_modulus_degree(), ciphertext.coeff_modulus_size()
    words = ciphertext.dyn_array()
    return [[int(words.at((half * primes + i) * n)) for i in range(primes)] for half in (0, 1)]


def _lifted(residues_: list[int], primes: list[int]) -> int:
    """Return the number that has these residues, below the product of as many primes."""
    used = primes[: len(residues_)]
    whole, total = prod(used), 0
    for residue, prime in zip(residues_, used, strict=True):
        total += residue * (whole // prime) * pow(whole // prime, -1, prime)
    return total % whole
