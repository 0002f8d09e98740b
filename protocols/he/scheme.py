"""SEAL's objects for one parameter set, and the checks on all that a peer sent.

Rule: the only file that gives SEAL bytes from outside, after checks that don't need them decoded.
"""

from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np
import tenseal.sealapi as seal

from protocols.he.memory import fill, load_into, words_of
from protocols.he.parameters import Parameters, ParametersRefused
from protocols.rounds import U64

_OF_SEAL = (RuntimeError, ValueError, IndexError, OverflowError, MemoryError)


class CiphertextRefused(ValueError):
    """Bytes that are no ciphertext or key of these parameters, or that lost their value."""


class VectorRefused(ValueError):
    """Values that can't be encrypted exactly: none, too many, no integers, out of range."""


class Scheme:
    """What encrypts, adds and decrypts under one parameter set; get it from `scheme_of`."""

    def __init__(self, parameters: Parameters) -> None:
        parameters.check()
        self.parameters = parameters
        chosen = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
        chosen.set_poly_modulus_degree(parameters.degree)
        sizes = list(parameters.coefficient_bits)
        primes = seal.CoeffModulus.Create(parameters.degree, sizes)
        chosen.set_coeff_modulus(primes)
        self.modulus = _plain_modulus(parameters)
        chosen.set_plain_modulus(self.modulus)
        self.context = seal.SEALContext(chosen, True, seal.SEC_LEVEL_TYPE.TC128)
        if not self.context.parameters_set():
            raise ParametersRefused(f"SEAL refuses {parameters.name}")
        self.primes = [int(prime.value()) for prime in primes[:-1]]
        self.evaluator = seal.Evaluator(self.context)
        self.fresh_level = self.context.first_parms_id()
        self.reply_level = self._level(parameters.kept_primes)
        self._encoder = None if parameters.flood_bits else seal.BatchEncoder(self.context)

    def _level(self, primes: int) -> Any:
        data = self.context.first_context_data()
        while len(data.parms().coeff_modulus()) > primes:
            data = data.next_context_data()
        return data.parms_id()

    @property
    def fresh_modulus(self) -> int:
        """Modulus of ciphertexts before any of its primes is switched away."""
        return prod(self.primes)

    @property
    def reply_modulus(self) -> int:
        """Modulus of a reply's ciphertexts."""
        return prod(self.primes[: self.parameters.kept_primes])

    def plaintext(self, words: U64) -> Any:
        """Return a SEAL plaintext with up to `degree` words below t, in slots or coefficients."""
        padded = np.zeros(self.parameters.degree, dtype=np.uint64)
        padded[: words.size] = words
        if self._encoder is None:
            made = seal.Plaintext(self.parameters.degree)
            fill(made, padded)
        else:
            made = seal.Plaintext()
            self._encoder.encode(padded.tolist(), made)
        return made

    def words(self, plaintext: Any) -> U64:
        """Return the words of a plaintext, shape (degree,)."""
        if self._encoder is not None:
            return np.array(self._encoder.decode_uint64(plaintext), dtype=np.uint64)
        words = np.zeros(self.parameters.degree, dtype=np.uint64)
        found = words_of(plaintext)
        words[: found.size] = found
        return words

    def polynomials(self, first: U64, second: U64, level: Any) -> Any:
        """Return a SEAL ciphertext with these residues, shape (primes of the level, degree)."""
        made = seal.Ciphertext(self.context, level, 2)
        made.resize(self.context, level, 2)
        fill(made, first, second)
        return made

    def in_ntt(self, first: U64, second: U64) -> Any:
        """Return a fresh SEAL ciphertext whose polynomials have these residues in NTT form."""
        made = seal.Ciphertext()
        self.evaluator.negate(self._any_in_ntt, made)
        fill(made, first, second)
        return made

    @cached_property
    def _any_in_ntt(self) -> Any:
        """Return a ciphertext that has the form: SEAL gives no other way to ask for it."""
        ones = np.ones((len(self.primes), self.parameters.degree), dtype=np.uint64)
        made = self.polynomials(ones, ones, self.fresh_level)
        self.evaluator.transform_to_ntt_inplace(made)
        return made

    def factor(self, words: U64, level: Any) -> Any:
        """Return a plaintext that multiplies ciphertexts in NTT form at that level."""
        made = self.plaintext(words)
        self.evaluator.transform_to_ntt_inplace(made, level)
        return made

    def sum(self, one: Any, other: Any) -> Any:
        """Return the sum of two ciphertexts of one level.

        Raises:
            CiphertextRefused: if nothing secret is left in it.
        """
        total = seal.Ciphertext()
        try:
            self.evaluator.add(one, other, total)
        except RuntimeError:
            raise CiphertextRefused("the sum would hide nothing") from None
        return total

    def load(self, data: bytes, level: Any) -> Any:
        """Return a ciphertext that a peer sent.

        Raises:
            CiphertextRefused: unless it has two polynomials at that level of the modulus.
        """
        made = self._load(data, level)
        if made.is_transparent():
            raise CiphertextRefused("a ciphertext that hides nothing")
        return made

    def load_half(self, data: bytes) -> Any:
        """Return a fresh ciphertext in NTT form that a peer sent without its second polynomial.

        Raises:
            CiphertextRefused: if it has one.
        """
        made = self._load(data, self.fresh_level, in_ntt=True)
        if not made.is_transparent():
            raise CiphertextRefused("a question's ciphertext has one polynomial alone")
        return made

    def _load(self, data: bytes, level: Any, *, in_ntt: bool = False) -> Any:
        made = seal.Ciphertext()
        load_checked(made, self, data)
        if made.size() != 2 or made.is_ntt_form() != in_ntt:
            raise CiphertextRefused("not a fresh ciphertext or a sum of such")
        if made.parms_id() != level:
            raise CiphertextRefused("the ciphertext has another modulus than asked for")
        return made


@cache
def scheme_of(parameters: Parameters) -> Scheme:
    """Return the objects of a parameter set, made once."""
    return Scheme(parameters)


def modulus_of(parameters: Parameters) -> int:
    """Return t: words are exact modulo this."""
    return scheme_of(parameters).modulus


def load_checked(empty: Any, scheme: Scheme, data: bytes) -> None:
    """Read a key or ciphertext that a peer sent.

    Raises:
        CiphertextRefused: if it has too many bytes, or isn't one for these parameters.
    """
    most = scheme.parameters.max_bytes
    if not 0 < len(data) <= most:
        raise CiphertextRefused(f"{len(data)} bytes; a key or ciphertext has 1 to {most}")
    try:
        load_into(empty, scheme.context, data)
    except _OF_SEAL:
        raise CiphertextRefused("not a key or ciphertext of these parameters") from None


def _plain_modulus(parameters: Parameters) -> int:
    if parameters.flood_bits:
        return 1 << parameters.plain_bits
    return int(seal.PlainModulus.Batching(parameters.degree, parameters.plain_bits).value())
