"""Sums of contributors' cells under one key: exact, bound to who contributed, refused otherwise."""

import numpy as np
import pytest
from ciphertexts import pair_secrets, summed

from protocols.he import masks
from protocols.he.bfv import Encryptor, KeyUsed, SecretKey
from protocols.he.contribution import contribute, totals
from protocols.he.integers import MAX_CELLS, SumOutOfRange
from protocols.he.parameters import MAX_CONTRIBUTORS, SUM
from protocols.he.scheme import CiphertextRefused, VectorRefused, modulus_of
from protocols.he.seal import tags

PARTIES = ("bank_a", "bank_b", "bank_c")
BINDING = "contract|plan|session"
SEAL = bytes(range(32))
T = modulus_of(SUM)
HALF = T // 2


@pytest.fixture
def key():
    return SecretKey(SUM)


def contributions(key, cells, reach=HALF, bindings=None):
    shared, bindings = pair_secrets(tuple(cells)), bindings or {}
    return {
        name: list(
            contribute(
                Encryptor(key.public),
                own,
                reach,
                name,
                shared[name],
                bindings.get(name, BINDING),
                SEAL,
            )
        )
        for name, own in cells.items()
    }


def opened(key, parts, n, reach=HALF, contributors=PARTIES, seal=SEAL):
    return totals(key, summed(parts, SUM), n, reach, contributors, BINDING, seal)


def five(names=PARTIES):
    return {name: np.arange(5) for name in names}


@pytest.mark.parametrize("n", [1, 8190, 8191, 8192, 20000])
def test_totals_are_exact(key, n):
    rng = np.random.default_rng(n)
    cells = {name: rng.integers(-(2**57), 2**57, n) for name in PARTIES}
    assert (opened(key, contributions(key, cells), n) == sum(cells.values())).all()


def test_ciphertexts_begun_before_their_words_are_known_hold_them(key):
    encryptor, words = Encryptor(key.public), np.arange(3 * 8192, dtype=np.uint64)
    encryptor.prepare(2)
    sent = list(encryptor.encrypt(words))
    assert len(set(sent)) == 3
    assert (key.decrypt(summed({"bank_a": sent}, SUM)) == words).all()


def test_totals_up_to_half_the_modulus_are_exact(key):
    wanted = np.array([HALF, -HALF, HALF - 1, 1 - HALF, 0, 1, -1, 5])
    a = np.array([HALF, -HALF, HALF, -HALF, HALF, HALF, -HALF, 5])
    b = np.array([-HALF, HALF, 0, 0, -HALF, 0, 0, 0])
    cells = {"bank_a": a, "bank_b": b, "bank_c": wanted - a - b}
    assert (opened(key, contributions(key, cells), 8) == wanted).all()


@pytest.mark.parametrize("reach", [HALF + 1, 2**63, -1])
def test_a_total_beyond_half_the_modulus_is_refused_before_encryption(key, reach):
    with pytest.raises(SumOutOfRange, match=f"reach {reach}; {HALF} is"):
        contributions(key, five(), reach)


def test_a_million_maximal_rows_are_exact_or_refused(key):
    rows, most = 10**6, HALF // 10**6
    with pytest.raises(SumOutOfRange):
        contributions(key, five(), rows * (most + 1))
    quarter = np.array([rows // 4 * most, -rows // 4 * most])
    cells = {"bank_a": 2 * quarter, "bank_b": quarter, "bank_c": quarter}
    found = opened(key, contributions(key, cells, rows * most), 2, rows * most)
    assert found.tolist() == [rows * most, -rows * most]


@pytest.mark.parametrize("cell", [101, -101, HALF, -HALF, 2**63 - 1, -(2**63)])
def test_a_cell_beyond_the_declared_reach_is_refused(key, cell):
    with pytest.raises(SumOutOfRange, match="beyond 100"):
        contributions(key, {"bank_a": np.array([5, cell])}, 100)


@pytest.mark.parametrize(
    "cells",
    [
        np.array([], dtype=np.int64),
        np.array([1.0, 2.5]),
        np.array([np.nan]),
        np.array([np.inf]),
        np.array([1], dtype=np.uint64),
        np.array([1], dtype=np.int32),
        np.array([True]),
        np.array([1, 2], dtype=object),
        np.zeros((2, 2), dtype=np.int64),
        np.zeros(MAX_CELLS + 1, dtype=np.int64),
    ],
    ids=["empty", "float", "NaN", "inf", "unsigned", "int32", "bool", "object", "2d", "long"],
)
def test_what_is_no_vector_of_integers_is_refused(key, cells):
    with pytest.raises(VectorRefused):
        contributions(key, {"bank_a": cells})


@pytest.mark.parametrize(
    "parts",
    [
        lambda parts: {name: parts[name] for name in PARTIES[:2]},
        lambda parts: {**parts, "again": parts["bank_a"]},
        lambda parts: {**parts, "bank_a": parts["bank_b"]},
    ],
    ids=["one missing", "one twice", "one in another's place"],
)
def test_a_sum_of_other_contributions_is_refused(key, parts):
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        opened(key, parts(contributions(key, five())), 5)


def test_a_lone_contribution_sent_twice_is_refused(key):
    parts = contributions(key, five(("bank_a",)))
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        opened(key, {**parts, "again": parts["bank_a"]}, 5, contributors=("bank_a",))


@pytest.mark.parametrize("shift", [{0: 1}, {0: 1, 8191: 1}, {1: T - 1, 2: 1}, {8191: 1}], ids=str)
def test_totals_that_a_coordinator_shifted_are_refused(key, shift):
    """It knows the public key, and so can add an encryption of whatever it likes."""
    parts = contributions(key, five())
    words = np.zeros(8192, dtype=np.uint64)
    words[list(shift)] = list(shift.values())
    parts["coordinator"] = list(Encryptor(key.public).encrypt(words))
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        opened(key, parts, 5)


def test_another_seal_is_refused(key):
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        opened(key, contributions(key, five()), 5, seal=bytes(32))
    with pytest.raises(VectorRefused, match="32 bytes"):
        contribute(Encryptor(key.public), np.arange(5), HALF, "bank_a", {}, BINDING, bytes(31))


def test_more_contributors_than_the_noise_bears_are_refused(key):
    others = {f"bank{i}": bytes(32) for i in range(MAX_CONTRIBUTORS)}
    with pytest.raises(VectorRefused, match="more than 128 contributors"):
        contribute(Encryptor(key.public), np.arange(5), HALF, "bank_a", others, BINDING, SEAL)


@pytest.mark.parametrize("modulus", [T, 257, 1 << 60])
def test_tags_of_a_sum_are_the_sum_of_tags(modulus):
    rng = np.random.default_rng(modulus)
    x, y = (rng.integers(0, modulus, (3, 8191), dtype=np.uint64) for _ in range(2))
    total = tags((x + y) % np.uint64(modulus), SEAL, ("a", "b"), BINDING, modulus)
    apart = [tags(x, SEAL, ("a",), BINDING, modulus), tags(y, SEAL, ("b",), BINDING, modulus)]
    assert (total == sum(apart) % np.uint64(modulus)).all()
    top = np.full((1, 8192), modulus - 1, dtype=np.uint64)
    factors = masks.uniform(SEAL, f"tag|{BINDING}", 8192, modulus)
    wanted = sum(int(factor) * (modulus - 1) for factor in factors) % modulus
    assert int(tags(top, SEAL, (), BINDING, modulus)[0]) == wanted


def test_places_that_changed_are_refused(key):
    cells = {name: np.arange(9000) for name in PARTIES}
    sums = summed(contributions(key, cells), SUM)
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        totals(key, sums[::-1], 9000, HALF, PARTIES, BINDING, SEAL)


def test_another_number_of_ciphertexts_is_refused(key):
    with pytest.raises(CiphertextRefused, match="1 ciphertexts for 9000 cells"):
        opened(key, contributions(key, five()), 9000)
    with pytest.raises(CiphertextRefused, match="0 ciphertexts for 0 cells"):
        totals(key, [], 0, HALF, PARTIES, BINDING, SEAL)


def test_a_contribution_to_another_plan_is_refused(key):
    parts = contributions(key, five(), bindings={"bank_b": "contract|plan|other session"})
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        opened(key, parts, 5)


def test_another_key_is_refused(key):
    with pytest.raises(CiphertextRefused, match="another key"):
        opened(key, contributions(SecretKey(SUM), five()), 5)


def test_one_contribution_under_another_key_is_refused(key):
    parts = contributions(key, five())
    parts["bank_b"] = contributions(SecretKey(SUM), five())["bank_b"]
    with pytest.raises(CiphertextRefused, match="another key"):
        opened(key, parts, 5)


def test_a_total_beyond_what_was_declared_is_refused(key):
    with pytest.raises(CiphertextRefused, match="beyond its declared reach"):
        opened(key, contributions(key, five(), 4), 5, reach=11)


def test_a_key_decrypts_once_even_if_it_refused(key):
    parts = contributions(key, five())
    with pytest.raises(CiphertextRefused):
        opened(key, {**parts, "again": parts["bank_a"]}, 5)
    with pytest.raises(KeyUsed):
        opened(key, parts, 5)


def test_a_flipped_byte_is_refused_or_changes_nothing():
    rng = np.random.default_rng(4)
    first = SecretKey(SUM)
    sent = contributions(first, five(("bank_a",)))["bank_a"][0]
    refused = 0
    for _ in range(25):
        key = SecretKey(SUM)
        (sent,) = contributions(key, five(("bank_a",)))["bank_a"]
        place = int(rng.integers(len(sent)))
        broken = bytearray(sent)
        broken[place] ^= 1 << int(rng.integers(8))
        try:
            found = opened(key, {"bank_a": [bytes(broken)]}, 5, contributors=("bank_a",))
        except CiphertextRefused:
            refused += 1
        else:
            assert found.tolist() == [0, 1, 2, 3, 4]
    assert refused > 15


def test_the_holder_of_the_key_sees_a_single_contribution_as_uniform_words():
    words, zeros = [], {name: np.zeros(8191, dtype=np.int64) for name in PARTIES}
    for session in range(4):
        key = SecretKey(SUM)
        parts = contributions(key, zeros, bindings=dict.fromkeys(PARTIES, f"session {session}"))
        words.append(key.decrypt(parts["bank_a"]))
    top = np.bincount((np.concatenate(words) >> np.uint64(52)).astype(int), minlength=256)
    expected = top.sum() / 256
    chi2 = ((top - expected) ** 2 / expected).sum()
    assert 150 < chi2 < 390  # 255 degrees of freedom: p about 1e-7 on either side
    assert not (words[0] == words[1]).any()


def test_masks_of_all_cancel():
    shared = pair_secrets(PARTIES)
    total = np.zeros(1000, dtype=np.uint64)
    for name in PARTIES:
        total = masks.add(total, masks.mask(name, shared[name], "p", 1000, T), T)
    assert not total.any()
    wide = 3**120
    assert sum(masks.wide_mask(name, shared[name], "p", wide) for name in PARTIES) % wide == 0


@pytest.mark.parametrize("secrets", [{"me": bytes(32)}, {"other": bytes(31)}])
def test_secrets_with_oneself_or_too_short_are_refused(secrets):
    with pytest.raises(ValueError, match="32 bytes and two holders"):
        masks.mask("me", secrets, "p", 5, T)


@pytest.mark.parametrize("modulus", [3, 257, (1 << 60) - 16383, 1 << 61])
def test_mask_words_are_below_the_modulus(modulus):
    words = masks.uniform(bytes(32), "p", 5000, modulus)
    assert words.size == 5000
    assert int(words.max()) < modulus
    assert abs(float(words.mean()) / (modulus - 1) - 0.5) < 0.05


def test_check_words_tell_their_parts_apart():
    assert masks.word(T, "a", "bc", 1) != masks.word(T, "ab", "c", 1)
    assert masks.word(T, "a", "bc", 1) == masks.word(T, "a", "bc", 1) < T
