"""Exact arithmetic on encrypted vectors of integers mod t: keys, encryption, sums, decryption.

A vector of n words mod t takes ceil(n / degree) ciphertexts. SEAL accepts most ciphertexts with a
flipped bit and decrypts them to garbage: whoever receives one authenticates it first. Keys and
encryption draw from the operating system, inside SEAL.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import tenseal.sealapi as seal

from protocols.he.memory import saved
from protocols.he.parameters import LEAST_BUDGET_BITS, MAX_CONTRIBUTORS, Parameters
from protocols.he.scheme import CiphertextRefused, Scheme, VectorRefused, load_checked, scheme_of
from protocols.rounds import U64

MAX_WORDS = 1 << 20  # of one vector


class KeyUsed(ValueError):
    """A key was asked to decrypt a second time; what it answered would tell of its secret."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to encrypt under, as SEAL writes it."""

    parameters: Parameters
    data: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Name the key: SHA-256 of parameters and bytes, in hexadecimal."""
        return digest(self.parameters, (self.data,))


class Encryptor:
    """Encrypts vectors under one public key.

    Raises:
        CiphertextRefused: if the key isn't one for its parameters.
    """

    def __init__(self, key: PublicKey) -> None:
        self.key = key
        self._scheme = scheme_of(key.parameters)
        self._zeros: list[Any] = []
        public = seal.PublicKey()
        load_checked(public, self._scheme, key.data)
        if public.data().size() != 2 or public.data().is_transparent():
            raise CiphertextRefused("not a public key that hides anything")
        self._encryptor = seal.Encryptor(self._scheme.context, public)

    def prepare(self, n: int) -> None:
        """Do most of the work of n ciphertexts before their words are known."""
        self._zeros += [self._zero() for _ in range(n)]

    def encrypt(self, words: U64) -> Iterator[bytes]:
        """Yield the ciphertexts of a vector of shape (n,) with words below t.

        Raises:
            VectorRefused: for a vector that is empty, too long or has a larger word.

        Cost: about 4 ms, 1 ms of it after `prepare`, and 224 kB a ciphertext of 8192 words for
            sums.
        Security: 128 bits, of semantic security; a ciphertext carries no proof of who made it.
        """
        for plain in _plaintexts(self._scheme, words):
            made = self._zeros.pop() if self._zeros else self._zero()
            self._scheme.evaluator.add_plain_inplace(made, plain)
            yield saved(made)

    def _zero(self) -> Any:
        made = seal.Ciphertext()
        self._encryptor.encrypt_zero(made)
        return made


class Sum:
    """Adds up ciphertexts of one place, keeping the sum alone in memory."""

    def __init__(self, parameters: Parameters) -> None:
        self._scheme = scheme_of(parameters)
        self._total: Any = None
        self._n = 0

    def add(self, data: bytes) -> None:
        """Add one contributor's ciphertext.

        Raises:
            CiphertextRefused: if it isn't a contribution or reply under these parameters, is one
                more than their noise budget bears, or cancels all before it.
        """
        made = self._scheme.load(data, self._scheme.reply_level)
        self._n += 1
        if self._n > MAX_CONTRIBUTORS:
            raise CiphertextRefused(f"more than {MAX_CONTRIBUTORS} ciphertexts in one sum")
        if self._total is None:
            self._total = made
        else:
            self._total = self._scheme.sum(self._total, made)

    def result(self) -> bytes:
        """Return the sum's ciphertext.

        Raises:
            CiphertextRefused: if nothing was added.
        """
        if self._total is None:
            raise CiphertextRefused("a sum of nothing")
        return saved(self._total)


class SecretKey:
    """The key that decrypts, once. It is never written, and lives as long as one query."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._scheme = scheme_of(parameters)
        self._generator = seal.KeyGenerator(self._scheme.context)
        secret = self._generator.secret_key()
        self._decryptor = seal.Decryptor(self._scheme.context, secret)
        self._encryptor = seal.Encryptor(self._scheme.context, secret)
        self._used = False

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

    def encrypt(self, words: U64) -> Iterator[bytes]:
        """Yield the ciphertexts of a vector; each is half as large as under the public key.

        Raises:
            VectorRefused: for a vector that is empty, too long or has a word that isn't below t.

        Cost: about 3 ms and 27 bytes a word under the parameters for filters.
        Security: 128 bits, of semantic security. The second half of a ciphertext is a seed.
        """
        for plain in _plaintexts(self._scheme, words):
            yield saved(self._encryptor.encrypt_symmetric(plain))

    def decrypt(self, ciphertexts: Sequence[bytes]) -> U64:
        """Return the words mod t of sums or replies, shape (degree * ciphertexts,).

        Raises:
            KeyUsed: if the key decrypted, or refused to decrypt, before.
            CiphertextRefused: if one is malformed, or too noisy to decrypt exactly.
        """
        if self._used:
            raise KeyUsed("a key decrypts once; ask again under a new one")
        self._used = True
        loaded = [self._load(data) for data in ciphertexts]
        for made in loaded:
            budget = self._decryptor.invariant_noise_budget(made)
            if budget < LEAST_BUDGET_BITS:
                raise too_noisy(f"{budget} bits")
        return np.concatenate([self._words(made) for made in loaded])

    def _load(self, data: bytes) -> Any:
        return self._scheme.load(data, self._scheme.reply_level)

    def _words(self, loaded: Any) -> U64:
        plain = seal.Plaintext()
        self._decryptor.decrypt(loaded, plain)
        return self._scheme.words(plain)


def digest(parameters: Parameters, parts: Sequence[bytes]) -> str:
    """Name what was sent: SHA-256 of parameters and of all parts, in hexadecimal."""
    made = hashlib.sha256(parameters.name.encode() + b"\n")
    for part in parts:
        made.update(len(part).to_bytes(8, "big") + part)
    return made.hexdigest()


def _plaintexts(scheme: Scheme, words: U64) -> Iterator[Any]:
    if words.dtype != np.uint64 or words.ndim != 1 or not 0 < words.size <= MAX_WORDS:
        raise VectorRefused(f"expected a vector of 1 to {MAX_WORDS} words of uint64")
    if int(words.max()) >= scheme.modulus:
        raise VectorRefused("a word is not below the plain modulus")
    n = scheme.parameters.degree
    return (scheme.plaintext(words[start : start + n]) for start in range(0, words.size, n))


def too_noisy(left: str) -> CiphertextRefused:
    """Return the refusal to decrypt what lost its value."""
    needed = f"{left} of noise budget are left; {LEAST_BUDGET_BITS} are needed"
    why = "it was made under another key, or misses a contribution"
    return CiphertextRefused(f"{needed} (or {why})")
