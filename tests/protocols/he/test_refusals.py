"""What is no ciphertext, key or parameter set of ours is refused by name."""

import dataclasses
import pickle

import numpy as np
import pytest

from protocols.he import parameters
from protocols.he.bfv import MAX_BYTES, CiphertextRefused, Encryptor, PublicKey, SecretKey, Sum
from protocols.he.parameters import PRODUCT, SUM, ParametersRefused, parameters_of


@pytest.fixture(scope="module")
def key():
    return SecretKey(SUM)


@pytest.fixture(scope="module")
def ciphertext(key):
    return next(Encryptor(key.public).encrypt(np.arange(9, dtype=np.uint64)))


def test_known_parameters_reach_128_bits():
    for known in parameters.KNOWN.values():
        known.check()
        SecretKey(known)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"coefficient_bits": (54, 54, 55, 56)}, "219 bits"),
        ({"degree": 4096}, "145 bits"),
        ({"degree": 8191}, "not in the 128-bit table"),
        ({"kept_primes": 3}, "keeps at least one prime"),
    ],
)
def test_weaker_parameters_are_refused(change, why):
    weak = dataclasses.replace(SUM, **change)
    with pytest.raises(ParametersRefused, match=why):
        weak.check()
    with pytest.raises(ParametersRefused, match=why):
        SecretKey(weak)


def test_a_peer_can_only_name_parameters():
    assert parameters_of("bfv-sum-1") is SUM
    with pytest.raises(ParametersRefused, match="unknown"):
        parameters_of("bfv-none-0")


def test_ciphertexts_of_other_parameters_are_refused(ciphertext):
    with pytest.raises(CiphertextRefused):
        Sum(PRODUCT).add(ciphertext)


@pytest.mark.parametrize("damage", [b"", b"x" * 1000, bytes(MAX_BYTES + 1)])
def test_what_is_no_ciphertext_is_refused(damage):
    with pytest.raises(CiphertextRefused):
        Sum(SUM).add(damage)


def test_cut_ciphertexts_are_refused(ciphertext):
    for cut in (1, 15, 16, 1000, len(ciphertext) - 1):
        with pytest.raises(CiphertextRefused):
            Sum(SUM).add(ciphertext[:cut])


def test_keys_and_ciphertexts_are_not_confused(key, ciphertext):
    with pytest.raises(CiphertextRefused):
        Sum(SUM).add(key.public.data)
    with pytest.raises(CiphertextRefused):
        Encryptor(PublicKey(SUM, ciphertext))


@pytest.mark.parametrize(
    "words",
    [
        np.zeros(0, dtype=np.uint64),
        np.array([1 << 60], dtype=np.uint64),
        np.zeros((2, 2), dtype=np.uint64),
        np.array([1.5]),
        np.array([np.nan]),
        np.array([-1]),
    ],
    ids=["empty", "too large", "two axes", "float", "NaN", "signed"],
)
def test_what_is_no_vector_of_residues_is_refused(key, words):
    with pytest.raises(ValueError, match="uint64|plain modulus"):
        next(Encryptor(key.public).encrypt(words))


def test_too_noisy_a_ciphertext_is_refused(key, ciphertext):
    total = Sum(SUM)
    total.add(ciphertext)
    for _ in range(9):  # doubling costs a bit each
        total.add(total.result())
    with pytest.raises(CiphertextRefused, match="bits of noise budget"):
        key.decrypt([total.result()])


def test_a_secret_key_is_not_written(key):
    assert repr(key) == "SecretKey(bfv-sum-1)"
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(key)
