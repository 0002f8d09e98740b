"""What is no ciphertext, key or parameter set of ours is refused by name."""

import dataclasses
import pickle

import numpy as np
import pytest
import tenseal
import tenseal.sealapi as seal

from protocols.he import parameters
from protocols.he.bfv import Encryptor, PublicKey, SecretKey, Sum
from protocols.he.memory import saved
from protocols.he.parameters import (
    FILTER,
    MAX_CONTRIBUTORS,
    SUM,
    ParametersRefused,
    parameters_of,
)
from protocols.he.public_coin import keep_first
from protocols.he.scheme import CiphertextRefused, Scheme, VectorRefused, modulus_of, scheme_of

WORDS = np.arange(9, dtype=np.uint64)


@pytest.fixture(scope="module")
def key():
    return SecretKey(SUM)


@pytest.fixture(scope="module")
def ciphertext(key):
    return next(Encryptor(key.public).encrypt(WORDS))


def test_known_parameters_reach_128_bits():
    for known in parameters.KNOWN.values():
        known.check()
        scheme = Scheme(known)
        assert scheme.context.key_context_data().qualifiers().sec_level == (
            seal.SEC_LEVEL_TYPE.TC128
        )
        assert scheme.context.get_context_data(scheme.reply_level) is not None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"coefficient_bits": (54, 54, 55, 56)}, "219 bits"),
        ({"degree": 4096}, "116 bits"),
        ({"degree": 8191}, "not in the 128-bit table"),
        ({"kept_primes": 3}, "keeps at least one prime"),
        ({"kept_primes": 0}, "keeps at least one prime"),
    ],
)
def test_weaker_parameters_are_refused(change, why):
    weak = dataclasses.replace(SUM, **change)
    with pytest.raises(ParametersRefused, match=why):
        weak.check()
    with pytest.raises(ParametersRefused, match=why):
        SecretKey(weak)


def test_seal_refuses_what_our_table_would_let_pass(monkeypatch):
    monkeypatch.setitem(parameters.MAX_COEFFICIENT_BITS, 4096, 200)
    with pytest.raises(ParametersRefused, match="SEAL refuses"):
        Scheme(dataclasses.replace(SUM, degree=4096))


def test_a_peer_can_only_name_parameters():
    assert parameters_of("bfv-sum-1") is SUM
    for name in ("bfv-none-0", "", "BFV-SUM-1"):
        with pytest.raises(ParametersRefused, match="unknown"):
            parameters_of(name)


def of_other_kinds():
    """Return bytes that SEAL or TenSEAL wrote, none of them a ciphertext or public key of ours."""
    own = scheme_of(SUM).context
    generator = seal.KeyGenerator(own)
    galois, relinearisation = seal.GaloisKeys(), seal.RelinKeys()
    generator.create_galois_keys([1], galois)
    generator.create_relin_keys(relinearisation)
    tenseals = tenseal.context(
        tenseal.SCHEME_TYPE.BFV, 8192, plain_modulus=modulus_of(SUM), n_threads=1
    )
    ckks = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[48, 48, 49])
    ckks.global_scale = 2**30
    unchecked = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
    unchecked.set_poly_modulus_degree(1024)
    unchecked.set_coeff_modulus(seal.CoeffModulus.Create(1024, [48, 48, 49]))
    unchecked.set_plain_modulus(65537)
    none = seal.SEALContext(unchecked, True, seal.SEC_LEVEL_TYPE.NONE)
    weak = seal.Ciphertext()
    public = seal.PublicKey()
    seal.KeyGenerator(none).create_public_key(public)
    seal.Encryptor(none, public).encrypt_zero(weak)
    return {
        "a secret key": saved(generator.secret_key()),
        "Galois keys": saved(galois),
        "relinearisation keys": saved(relinearisation),
        "a context with its secret key": tenseals.serialize(save_secret_key=True),
        "a context": tenseals.serialize(save_secret_key=False),
        "a vector of TenSEAL": tenseal.bfv_vector(tenseals, [1, 2]).serialize(),
        "a CKKS ciphertext": saved(tenseal.ckks_vector(ckks, [1.0]).ciphertext()[0]),
        "a CKKS public key": saved(ckks.public_key().data),
        "a ciphertext without security": saved(weak),
        "a key without security": saved(public),
        "a plaintext": saved(seal.Plaintext(8192)),
        "parameters": saved(unchecked),
        "nothing": b"",
        "noise": b"x" * 1000,
        "too much": bytes(SUM.max_bytes + 1),
    }


OTHERS = of_other_kinds()


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_ciphertext_is_refused(kind):
    with pytest.raises(CiphertextRefused):
        Sum(SUM).add(OTHERS[kind])


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_public_key_is_refused(kind):
    with pytest.raises(CiphertextRefused):
        Encryptor(PublicKey(SUM, OTHERS[kind]))


def test_too_many_bytes_are_not_read(monkeypatch):
    monkeypatch.setattr("protocols.he.scheme.load_into", None)
    with pytest.raises(CiphertextRefused, match="a key or ciphertext has 1 to"):
        Sum(SUM).add(bytes(SUM.max_bytes + 1))


def test_ciphertexts_of_other_parameters_are_refused(ciphertext):
    with pytest.raises(CiphertextRefused):
        Sum(FILTER).add(ciphertext)
    with pytest.raises(CiphertextRefused):
        Sum(SUM).add(next(SecretKey(FILTER).encrypt(WORDS)))


def test_ciphertexts_of_another_level_are_refused():
    fresh = next(SecretKey(FILTER).encrypt(WORDS))
    with pytest.raises(CiphertextRefused, match="another modulus"):
        Sum(FILTER).add(fresh)


def test_ciphertexts_that_were_multiplied_are_refused(ciphertext):
    scheme = scheme_of(SUM)
    product = scheme.load(ciphertext, scheme.fresh_level)
    scheme.evaluator.square_inplace(product)
    with pytest.raises(CiphertextRefused, match="not a fresh ciphertext"):
        Sum(SUM).add(saved(product))


def test_a_ciphertext_that_hides_nothing_is_refused():
    scheme = scheme_of(SUM)
    plain = np.ones((2, len(scheme.primes), SUM.degree), dtype=np.uint64)
    plain[1] = 0
    with pytest.raises(CiphertextRefused, match="hides nothing"):
        Sum(SUM).add(saved(scheme.polynomials(*plain, scheme.fresh_level)))


def test_cut_ciphertexts_are_refused(ciphertext):
    for cut in (1, 15, 16, 1000, len(ciphertext) - 1):
        with pytest.raises(CiphertextRefused):
            Sum(SUM).add(ciphertext[:cut])


def test_keys_and_ciphertexts_are_not_confused(key, ciphertext):
    with pytest.raises(CiphertextRefused):
        Sum(SUM).add(key.public.data)
    with pytest.raises(CiphertextRefused):
        Encryptor(PublicKey(SUM, ciphertext))


def test_a_public_key_that_hides_nothing_is_refused():
    public = seal.PublicKey()
    seal.KeyGenerator(scheme_of(SUM).context).create_public_key(public)
    keep_first(public.data())
    with pytest.raises(CiphertextRefused, match="not a public key that hides anything"):
        Encryptor(PublicKey(SUM, saved(public)))


def test_sums_of_nothing_are_refused(ciphertext):
    with pytest.raises(CiphertextRefused, match="sum of nothing"):
        Sum(SUM).result()
    scheme = scheme_of(SUM)
    negative = scheme.load(ciphertext, scheme.fresh_level)
    scheme.evaluator.negate_inplace(negative)
    total = Sum(SUM)
    total.add(ciphertext)
    with pytest.raises(CiphertextRefused, match="would hide nothing"):
        total.add(saved(negative))


@pytest.mark.parametrize(
    "words",
    [
        np.zeros(0, dtype=np.uint64),
        np.zeros((1 << 20) + 1, dtype=np.uint64),
        np.array([1 << 60], dtype=np.uint64),
        np.zeros((2, 2), dtype=np.uint64),
        np.array([1.5]),
        np.array([np.nan]),
        np.array([-1]),
    ],
    ids=["empty", "over-long", "too large", "two axes", "float", "NaN", "signed"],
)
def test_what_is_no_vector_of_residues_is_refused(key, words):
    with pytest.raises(VectorRefused):
        next(Encryptor(key.public).encrypt(words))
    with pytest.raises(VectorRefused):
        next(key.encrypt(words))


def test_too_noisy_a_ciphertext_is_refused():
    key = SecretKey(SUM)
    total = Sum(SUM)
    total.add(next(Encryptor(key.public).encrypt(WORDS)))
    for _ in range(9):  # doubling costs a bit each
        total.add(total.result())
    with pytest.raises(CiphertextRefused, match=r"1\d bits of noise budget are left; 20"):
        key.decrypt([total.result()])


def test_no_more_contributions_are_added_than_the_noise_bears():
    key, total = SecretKey(SUM), Sum(SUM)
    (sent,) = Encryptor(key.public).encrypt(WORDS)
    for _ in range(MAX_CONTRIBUTORS):
        total.add(sent)  # the same noise each time: the most that it can grow
    assert (key.decrypt([total.result()])[:9] == MAX_CONTRIBUTORS * WORDS).all()
    with pytest.raises(CiphertextRefused, match="more than 128"):
        total.add(sent)


def test_a_secret_key_is_not_written(key):
    assert repr(key) == "SecretKey(bfv-sum-1)"
    assert "data" not in repr(key.public)
    with pytest.raises(TypeError, match="never written"):
        pickle.dumps(key)
