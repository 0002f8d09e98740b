"""An owner's own numbers times secret ones, answered so that nothing but the result shows.

Rule: what makes an answer blind, for all protocols whose question is encrypted: each takes the
key holder's ciphertexts, multiplies them by polynomials of its own, adds noise, and reduces the
modulus last, so that nothing but the flooded ciphertext shapes what is sent.

A question's ciphertexts are (c_0, c_1) with c_0 + c_1 s = (q/t) w + e, where s is the secret
key and every |e_i| is at most 21.5: 42 coins, and half a unit of rounding. The plain product with
polynomials h shows h at once: whoever knows c_1 divides by it, and e h can be read off after
decryption. An answer is therefore

    sum_k c_k h_k  +  t u c  +  (flood, f)         u ternary, f of 42 coins, both fresh,

where c is the first ciphertext. As t (q/t) w is a multiple of q, t u c is an encryption of zero
with noise t u e.
* Its second polynomial is sum_k c_1k h_k + (t c_1) u + f: a sample of Ring-LWE in the uniform t c_1
  with secret u and error f, of the same dimension and modulus as the key; pseudorandom under the
  same assumption, 128 bits.
* Its noise at one coefficient is N = h e + t u e + f s before flooding. |h e| is below 11 t, since
  sum |h| is at most t/2. u e is a sum of 8192 independent centred terms; by Hoeffding's bound the
  coins of e exceed 3496 with a probability below 2^-101 and the rounding exceeds 600 with
  2^-125, so that |N| < (2^12 + 12) t. flood is uniform in [-2^k, 2^k): what the key's holder
  sees lies within N / 2^(k+1) of what the result alone would let it make up.

`distance_bits` computes that statistical distance for a question that was encrypted as above.
Source: noise flooding is Gentry's idea (STOC 2009); the encryption of zero made of the question
itself is ours.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from math import log2
from typing import Any

import numpy as np
import tenseal.sealapi as seal

from protocols.he.coins import Coins, residues_of
from protocols.he.integers import residues
from protocols.he.memory import saved
from protocols.he.parameters import Parameters
from protocols.he.public_coin import constants, keep_first
from protocols.he.scheme import Scheme, scheme_of
from protocols.rounds import U64


def distance_bits(parameters: Parameters, coefficients: int) -> float:
    """Return d: an answer of so many coefficients is within 2^-d of one made from its result."""
    noise = log2((1 << 12) + 12) + parameters.plain_bits
    return parameters.flood_bits + 1 - noise - log2(coefficients)


class Blind:
    """A question's ciphertexts, ready to be multiplied.

    Args:
        parts: loaded, of full modulus; in NTT form for `products`, else for `combination`.
        coins: of this question's answers alone.
    """

    def __init__(self, parameters: Parameters, parts: Sequence[Any], coins: Coins) -> None:
        self.scheme = scheme_of(parameters)
        self.coins = coins
        self._parts = parts

    def products(self, polynomials: Sequence[U64], purpose: str) -> Any:
        """Return sum_k c_k h_k + t u c for polynomials h_k with coefficients mod t.

        Cost: 1 ms a polynomial. Zeros take as long.
        """
        total = self._encrypted_zero(purpose)
        assert len(polynomials) == len(self._parts)  # noqa: S101 -- our own logic
        for k, words in enumerate(polynomials):
            factor = self._factor(words if words.any() else np.ones_like(words))
            product = self._times(self._parts[k], factor)
            if words.any():
                self.scheme.evaluator.add_inplace(total, product)
        self.scheme.evaluator.transform_from_ntt_inplace(total)
        return total

    def combination(self, weights: Sequence[int], purpose: str) -> Any:
        """Return sum_k c_k w_k + t u c for single words w_k mod t.

        Cost: 0.2 ms a weight. Zeros take as long.
        """
        total = self._encrypted_zero(purpose)
        self.scheme.evaluator.transform_from_ntt_inplace(total)
        for part, weight in zip(self._parts, weights, strict=True):
            constant = self.scheme.plaintext(np.array([weight or 1], dtype=np.uint64))
            product = self._times(part, constant)
            if weight:
                self.scheme.evaluator.add_inplace(total, product)
        return total

    def drop_but_constant(self, total: Any) -> list[int]:
        """Zero a ciphertext's first polynomial; return its constant coefficient as residues.

        The others would tell more than the one linear form that was asked for.
        """
        first = seal.Ciphertext()
        self.scheme.evaluator.negate(total, first)
        keep_first(first)
        constant = constants(total)[0]
        self.scheme.evaluator.add_inplace(total, first)
        return constant

    def sealed(self, total: Any, noise: U64, purpose: str) -> bytes:
        """Return the answer: residues of noise added to the first polynomial, errors to the second.

        The modulus is reduced last, so that nothing but the flooded ciphertext shapes the answer.
        """
        n, primes = self.scheme.parameters.degree, self.scheme.primes
        errors = residues_of(self.coins.binomial(f"{purpose}|errors", n), primes)
        both = self.scheme.polynomials(noise, errors, self.scheme.fresh_level)
        self.scheme.evaluator.add_inplace(total, both)
        self.scheme.evaluator.mod_switch_to_inplace(total, self.scheme.reply_level)
        return saved(total)

    @cached_property
    def _half_zero(self) -> Any:
        """Return -t/2 times the first ciphertext, in NTT form: SEAL reads t/2 so."""
        first = self._parts[0]
        if not first.is_ntt_form():
            first = seal.Ciphertext()
            self.scheme.evaluator.transform_to_ntt(self._parts[0], first)
        return self._times(first, _half_in_ntt(self.scheme))

    def _encrypted_zero(self, purpose: str) -> Any:
        """Return t u c, a fresh encryption of zero, in NTT form."""
        secret = self.coins.ternary(f"{purpose}|secret", self.scheme.parameters.degree)
        return self._times(self._half_zero, self._factor(residues(2 * secret, self.scheme.modulus)))

    def _factor(self, words: U64) -> Any:
        return self.scheme.factor(words, self.scheme.fresh_level)

    def _times(self, part: Any, factor: Any) -> Any:
        product = seal.Ciphertext()
        self.scheme.evaluator.multiply_plain(part, factor, product)
        return product


@cache
def _half_in_ntt(scheme: Scheme) -> Any:
    return scheme.factor(np.array([scheme.modulus // 2], dtype=np.uint64), scheme.fresh_level)
