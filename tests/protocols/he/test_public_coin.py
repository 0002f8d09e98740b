"""Encryption under a second polynomial that nobody chose."""

import pickle

import numpy as np
import pytest

from protocols.he.coins import Coins
from protocols.he.memory import words_of
from protocols.he.parameters import FILTER
from protocols.he.public_coin import QuestionKey, completed, public_polynomial
from protocols.he.scheme import scheme_of

N = FILTER.degree
NONCE = bytes(range(32))
SCHEME = scheme_of(FILTER)
STEP = SCHEME.fresh_modulus // SCHEME.modulus


def key(number):
    return QuestionKey(FILTER, Coins(number.to_bytes(32, "big")))


def sent(number, words, nonce=NONCE):
    """Return a key, and the ciphertexts of words under it in coefficient form."""
    own = key(number)
    parts = [completed(SCHEME, data, nonce, k) for k, data in enumerate(own.encrypt(words, NONCE))]
    for part in parts:
        SCHEME.evaluator.transform_from_ntt_inplace(part)
    return own, parts


def test_a_ciphertext_decrypts_to_its_words_up_to_small_errors():
    errors = []
    for number in range(40):
        own, parts = sent(number, np.array([number + 1, 5], dtype=np.uint64))
        found = own.phase(parts[0])
        errors.append(found - (number + 1) * SCHEME.fresh_modulus // SCHEME.modulus)
    assert max(map(abs, errors)) <= 22
    assert 1.5 < np.std(errors) < 5.5  # 3.2 is expected


def test_each_ciphertext_of_a_long_vector_has_its_words():
    words = np.arange(1, 2 * N + 2, dtype=np.uint64)
    own, parts = sent(1, words)
    found = [round(own.phase(part) / STEP) for part in parts]
    assert found == [1, N + 1, 2 * N + 1]


def test_under_another_key_or_nonce_nothing_is_found():
    words = np.array([5], dtype=np.uint64)
    _, parts = sent(1, words)
    own, other = sent(2, words, nonce=bytes(32))
    for phase in (own.phase(parts[0]), own.phase(other[0])):
        assert abs(phase - 5 * STEP) > 2**100


def test_the_first_half_hides_its_words():
    for words in (np.zeros(N, np.uint64), np.full(N, 3, dtype=np.uint64)):
        _, (part,) = sent(3, words)
        first = words_of(part).reshape(2, len(SCHEME.primes), N)[0]
        for row, prime in zip(first, SCHEME.primes, strict=True):
            counts = np.bincount((row // np.uint64(prime // 64 + 1)).astype(int), minlength=64)
            assert 20 < ((counts - N / 64) ** 2 / (N / 64)).sum() < 140  # 63 degrees of freedom


def test_public_polynomials_are_uniform_and_differ_by_nonce_and_place():
    one = public_polynomial(SCHEME, NONCE, 0)
    assert (one == public_polynomial(SCHEME, NONCE, 0)).all()
    for other in (public_polynomial(SCHEME, NONCE, 1), public_polynomial(SCHEME, bytes(32), 0)):
        assert (one == other).sum() < 3
    for row, prime in zip(one, SCHEME.primes, strict=True):
        assert int(row.max()) < prime
        assert abs(float(row.mean()) / prime - 0.5) < 0.02


def test_a_secret_key_is_not_written():
    assert repr(key(1)) == "QuestionKey(bfv-filter-1)"
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(key(1))
