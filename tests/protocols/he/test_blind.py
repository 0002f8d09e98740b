"""What an answer shows besides its result: noise within its bound, drowned, the rest uniform."""

from math import log2

import numpy as np
import pytest

from protocols.he.bfv import SecretKey
from protocols.he.blind import Blind, distance_bits
from protocols.he.coins import Coins, residues_of
from protocols.he.memory import words_of
from protocols.he.parameters import (
    FILTER,
    FILTER_WIDE,
    LEAST_BUDGET_BITS,
    MAX_CONTRIBUTORS,
    SCORE,
)
from protocols.he.scheme import scheme_of
from protocols.randomness import GateReused

BLIND = (FILTER, FILTER_WIDE, SCORE)
N = FILTER.degree


def coins(number):
    return Coins(number.to_bytes(32, "big"))


@pytest.fixture(scope="module")
def key():
    return SecretKey(FILTER)


@pytest.fixture(scope="module")
def question(key):
    return encrypted(key, np.arange(N, dtype=np.uint64))


def encrypted(key, words):
    """Return a question's ciphertexts, in NTT form."""
    parts = encrypted_columns(key, words)
    for part in parts:
        scheme_of(FILTER).evaluator.transform_to_ntt_inplace(part)
    return parts


def encrypted_columns(key, words):
    scheme = scheme_of(FILTER)
    return [scheme.load(data, scheme.fresh_level) for data in key.encrypt(words)]


@pytest.mark.parametrize("parameters", BLIND, ids=lambda one: one.name)
def test_answers_tell_no_more_than_their_result_but_for_2_to_the_minus_40(parameters):
    assert distance_bits(parameters, N if parameters is SCORE else 1) > 40


@pytest.mark.parametrize("parameters", BLIND, ids=lambda one: one.name)
def test_flooded_sums_keep_the_noise_budget(parameters):
    added = 1 if parameters is SCORE else MAX_CONTRIBUTORS
    noise = log2(1.01 * added) + parameters.flood_bits
    room = log2(scheme_of(parameters).fresh_modulus) - 1 - parameters.plain_bits
    assert room - noise > LEAST_BUDGET_BITS - 0.05


def noise_at_the_constant(key, scheme, total):
    """Return the noise in units of t, of a ciphertext whose constant coefficient is 0."""
    for _ in range(2):
        scheme.evaluator.multiply_plain_inplace(
            total, scheme.plaintext(np.array([1 << 40], dtype=np.uint64))
        )
    found = int(key._words(total)[0])
    centred = found - scheme.modulus if found > scheme.modulus // 2 else found
    return centred * scheme.fresh_modulus / 2.0**80 / scheme.modulus**2


@pytest.mark.parametrize("kind", ["product", "combination"])
def test_noise_before_flooding_is_within_the_bound_that_the_distance_rests_on(key, kind):
    scheme, noises = scheme_of(FILTER), []
    rng = np.random.default_rng(8)
    for number in range(15):
        words = rng.integers(0, 2**30, N, dtype=np.uint64)
        words[0] = 0
        parts = (encrypted if kind == "product" else encrypted_columns)(key, words)
        blind = Blind(FILTER, parts, coins(number))
        if kind == "product":
            constant = np.zeros(N, dtype=np.uint64)
            constant[0] = 2**17  # the largest of this mass
            total = blind.products([constant], "a")
        else:
            total = blind.combination([2**17], "a")
        noises.append(abs(noise_at_the_constant(key, scheme, total)))
    assert max(noises) < (1 << 12) + 12
    assert 60 < np.median(noises) < 600  # 160 is expected: 0.67 of sqrt(8192 * 2/3 * 10.6)


def test_an_answer_to_zeros_looks_as_random_as_any_other(question):
    blind = Blind(FILTER, question, coins(1))
    n_primes = len(blind.scheme.primes)
    for number, words in enumerate((np.zeros(N, np.uint64), np.arange(N, dtype=np.uint64))):
        total = blind.products([words], str(number))
        residues = words_of(total).reshape(2, n_primes, N)[1]
        for row, prime in zip(residues, blind.scheme.primes, strict=True):
            counts = np.bincount((row // np.uint64(prime // 64 + 1)).astype(int), minlength=64)
            chi2 = ((counts - N / 64) ** 2 / (N / 64)).sum()
            assert 20 < chi2 < 140  # 63 degrees of freedom


def test_two_answers_of_one_histogram_differ_everywhere(question):
    first = Blind(FILTER, question, coins(1)).products([np.ones(N, np.uint64)], "a")
    second = Blind(FILTER, question, coins(2)).products([np.ones(N, np.uint64)], "a")
    assert (words_of(first) == words_of(second)).sum() < 3


def test_nothing_but_the_constant_coefficient_leaves(question):
    blind = Blind(FILTER, question, coins(1))
    n_primes = len(blind.scheme.primes)
    total = blind.products([np.ones(N, dtype=np.uint64)], "a")
    before = words_of(total).reshape(2, n_primes, N)
    constant = blind.drop_but_constant(total)
    after = words_of(total).reshape(2, n_primes, N)
    assert constant == before[0, :, 0].tolist()
    assert not after[0].any()
    assert (after[1] == before[1]).all()
    sent = blind.scheme.load(
        blind.sealed(total, np.zeros((n_primes, N), np.uint64), "a"), blind.scheme.reply_level
    )
    assert not words_of(sent)[1:N].any()


@pytest.mark.parametrize("bits", [12, 13, 101, 121])
def test_flooding_noise_is_uniform_over_its_range(bits):
    primes = [(1 << 50) - 27, (1 << 50) - 35, (1 << 44) - 17]
    rows = coins(bits).flood("noise", 4000, bits, primes)
    modulus = primes[0] * primes[1] * primes[2]
    lifts = [modulus // p * pow(modulus // p, -1, p) for p in primes]
    values = [
        (sum(int(r) * lift for r, lift in zip(column, lifts, strict=True)) + modulus // 2) % modulus
        - modulus // 2
        for column in rows.T
    ]
    assert min(values) >= -(1 << bits)
    assert max(values) < 1 << bits
    counts = np.bincount([(v + (1 << bits)) >> (bits - 4) for v in values], minlength=32)
    assert 8 < ((counts - 125) ** 2 / 125).sum() < 75  # 31 degrees of freedom


def test_secrets_and_errors_have_their_distributions():
    ternary = coins(3).ternary("u", 30_000)
    assert set(ternary.tolist()) == {-1, 0, 1}
    assert abs(np.bincount(ternary + 1) - 10_000).max() < 500
    errors = coins(3).binomial("f", 30_000)
    assert abs(errors.mean()) < 0.1
    assert abs(errors.var() - 10.5) < 0.5
    assert abs(errors).max() <= 21


def test_small_integers_as_residues():
    assert residues_of(np.array([-2, 0, 3]), [7, 11]).tolist() == [[5, 0, 3], [9, 0, 3]]


def test_coins_are_used_once(question):
    blind = Blind(FILTER, question, coins(1))
    blind.products([np.ones(N, dtype=np.uint64)], "a")
    with pytest.raises(GateReused):
        blind.combination([1], "a")
    assert "key" not in repr(coins(1))
    with pytest.raises(ValueError, match="32 bytes"):
        Coins(bytes(16))
