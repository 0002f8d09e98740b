"""Exact arithmetic on encrypted vectors of integers mod t: keys, encryption, sums, decryption.

A vector of n words mod t takes ceil(n / slots) ciphertexts. SEAL accepts most ciphertexts with a
flipped bit and decrypts them to garbage: whoever receives one authenticates it first.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import tenseal.sealapi as seal

from protocols.he.memory import load_into, saved
from protocols.he.parameters import LEAST_BUDGET_BITS, Parameters
from protocols.rounds import U64

MAX_BYTES = 1 << 20  # of one serialised key or ciphertext


class CiphertextRefused(ValueError):
    """Bytes that are no ciphertext or key of these parameters, or that lost their value."""


class _Scheme:
    """SEAL's objects for one parameter set; building them takes some milliseconds."""

    def __init__(self, parameters: Parameters) -> None:
        parameters.check()
        chosen = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
        chosen.set_poly_modulus_degree(parameters.degree)
        sizes = list(parameters.coefficient_bits)
        chosen.set_coeff_modulus(seal.CoeffModulus.Create(parameters.degree, sizes))
        modulus = seal.PlainModulus.Batching(parameters.degree, parameters.plain_bits)
        chosen.set_plain_modulus(modulus)
        self.context = seal.SEALContext(chosen, True, seal.SEC_LEVEL_TYPE.TC128)
        if not self.context.parameters_set():
            raise CiphertextRefused(f"SEAL refuses {parameters.name}")
        self.modulus = int(modulus.value())
        self.encoder = seal.BatchEncoder(self.context)
        self.evaluator = seal.Evaluator(self.context)

    def plaintext(self, slots: U64) -> Any:
        made = seal.Plaintext()
        self.encoder.encode(slots.tolist(), made)
        return made

    def ciphertext(self, data: bytes) -> Any:
        made = seal.Ciphertext()
        _load(made, self.context, data)
        if made.size() != 2 or made.is_ntt_form() or made.is_transparent():
            raise CiphertextRefused("not a fresh ciphertext or a sum of such")
        return made


@cache
def _scheme(parameters: Parameters) -> _Scheme:
    return _Scheme(parameters)


def modulus_of(parameters: Parameters) -> int:
    """Return t: what slots hold is exact modulo this prime."""
    return _scheme(parameters).modulus


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to encrypt under, as SEAL writes it."""

    parameters: Parameters
    data: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Name the key: SHA-256 of parameters and bytes, in hexadecimal."""
        return hashlib.sha256(self.parameters.name.encode() + b"\n" + self.data).hexdigest()


class Encryptor:
    """Encrypts vectors under one public key.

    Raises:
        CiphertextRefused: if the key isn't one for its parameters.
    """

    def __init__(self, key: PublicKey) -> None:
        self._scheme = _scheme(key.parameters)
        public = seal.PublicKey()
        _load(public, self._scheme.context, key.data)
        self._encryptor = seal.Encryptor(self._scheme.context, public)
        self._slots = key.parameters.degree

    def encrypt(self, words: U64) -> Iterator[bytes]:
        """Yield the ciphertexts of a vector of shape (n,) with words below t.

        Raises:
            ValueError: for a vector that is empty or has a larger word.

        Cost: about 3 ms and 224 kB a ciphertext of 8192 words for sums.
        Security: 128 bits, of semantic security; a ciphertext carries no proof of who made it.
        """
        if words.dtype != np.uint64 or words.ndim != 1 or not words.size:
            raise ValueError("expected a vector of uint64 that isn't empty")
        if int(words.max()) >= self._scheme.modulus:
            raise ValueError("a word is not below the plain modulus")
        for start in range(0, words.size, self._slots):
            made = seal.Ciphertext()
            plain = self._scheme.plaintext(words[start : start + self._slots])
            self._encryptor.encrypt(plain, made)
            yield saved(made)


class Sum:
    """Adds up ciphertexts of one place, keeping the sum alone in memory."""

    def __init__(self, parameters: Parameters) -> None:
        self._scheme = _scheme(parameters)
        self._total: Any = None

    def add(self, data: bytes) -> None:
        """Add one ciphertext.

        Raises:
            CiphertextRefused: if it isn't a fresh one of these parameters, or a sum of such.
        """
        made = self._scheme.ciphertext(data)
        if self._total is None:
            self._total = made
        else:
            self._scheme.evaluator.add_inplace(self._total, made)

    def result(self) -> bytes:
        """Return the sum's ciphertext."""
        return saved(self._total)


class SecretKey:
    """The key that decrypts. It is never written, and lives as long as one query."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._scheme = _scheme(parameters)
        self._generator = seal.KeyGenerator(self._scheme.context)
        self._decryptor = seal.Decryptor(self._scheme.context, self._generator.secret_key())

    def __repr__(self) -> str:
        return f"SecretKey({self.parameters.name})"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is never written")

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        made = seal.PublicKey()
        self._generator.create_public_key(made)
        return PublicKey(self.parameters, saved(made))

    def decrypt(self, ciphertexts: Sequence[bytes]) -> U64:
        """Return the words mod t of all slots, shape (slots * ciphertexts,).

        Raises:
            CiphertextRefused: if one is malformed, or too noisy to decrypt exactly.
        """
        return np.concatenate([self._slots(data) for data in ciphertexts])

    def _slots(self, data: bytes) -> U64:
        made = self._scheme.ciphertext(data)
        budget = self._decryptor.invariant_noise_budget(made)
        if budget < LEAST_BUDGET_BITS:
            what = f"{budget} bits of noise budget are left; {LEAST_BUDGET_BITS} are needed"
            raise CiphertextRefused(f"{what} (or it was made under another key)")
        plain = seal.Plaintext()
        self._decryptor.decrypt(made, plain)
        return np.array(self._scheme.encoder.decode_uint64(plain), dtype=np.uint64)


def _load(empty: Any, context: Any, data: bytes) -> None:
    if not 0 < len(data) <= MAX_BYTES:
        raise CiphertextRefused(f"{len(data)} bytes; a key or ciphertext has 1 to {MAX_BYTES}")
    try:
        load_into(empty, context, data)
    except (RuntimeError, ValueError):
        raise CiphertextRefused("not a key or ciphertext of these parameters") from None
