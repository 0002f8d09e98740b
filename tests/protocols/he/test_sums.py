"""Sums of contributors' cells under one key: exact, bound to who contributed, refused otherwise."""

import itertools
import secrets

import numpy as np
import pytest

from protocols.he import bfv, contribution, masks, parameters
from protocols.he.bfv import CiphertextRefused, SecretKey, Sum
from protocols.he.contribution import SumOutOfRange, contribute, totals

PARTIES = ("bank_a", "bank_b", "bank_c")
BINDING = "contract|plan|session"
HALF = bfv.modulus_of(parameters.SUM) // 2


def pair_secrets(names=PARTIES):
    made = {pair: secrets.token_bytes(32) for pair in itertools.combinations(names, 2)}
    return {
        me: {o: made[(min(me, o), max(me, o))] for o in names if o != me} for me in names
    }


@pytest.fixture(scope="module")
def key():
    return SecretKey(parameters.SUM)


def contributions(key, cells, binding=BINDING):
    shared = pair_secrets(tuple(cells))
    return {
        name: list(contribute(key.public, own, name, shared[name], binding))
        for name, own in cells.items()
    }


def summed(parts):
    sums = []
    for place in zip(*parts.values(), strict=True):
        total = Sum(parameters.SUM)
        for one in place:
            total.add(one)
        sums.append(total.result())
    return sums


@pytest.mark.parametrize("n", [1, 8190, 8191, 8192, 20000])
def test_totals_are_exact(key, n):
    rng = np.random.default_rng(n)
    cells = {name: rng.integers(-(2**57), 2**57, n) for name in PARTIES}
    got = totals(key, summed(contributions(key, cells)), n, PARTIES, BINDING)
    assert (got == sum(cells.values())).all()


@pytest.mark.parametrize("total", [HALF, -HALF, 0, 1, -1, HALF - 1])
def test_totals_up_to_half_the_modulus_are_exact(key, total):
    cells = {
        "bank_a": np.array([total - 5]) if total < 0 else np.array([total - 3]),
        "bank_b": np.array([2]) if total >= 0 else np.array([3]),
        "bank_c": np.array([1]) if total >= 0 else np.array([2]),
    }
    contribution.check_reach(abs(total), parameters.SUM)
    assert totals(key, summed(contributions(key, cells)), 1, PARTIES, BINDING) == [total]


def test_a_total_beyond_half_the_modulus_is_refused_before_encryption():
    with pytest.raises(SumOutOfRange, match=str(HALF + 1)):
        contribution.check_reach(HALF + 1, parameters.SUM)


def test_a_million_maximal_rows_are_refused_or_exact(key):
    rows, most = 10**6, HALF // 10**6
    contribution.check_reach(rows * most, parameters.SUM)
    with pytest.raises(SumOutOfRange):
        contribution.check_reach(rows * (most + 1), parameters.SUM)
    cells = {name: np.array([rows // 4 * most * (2 if name == "bank_a" else 1)]) for name in PARTIES}
    assert totals(key, summed(contributions(key, cells)), 1, PARTIES, BINDING) == [rows * most]


def without_last(parts):
    return {name: parts[name] for name in PARTIES[:2]}


def twice(parts):
    return {**parts, "again": parts["bank_a"]}


@pytest.mark.parametrize("change", [without_last, twice], ids=["one missing", "one twice"])
def test_a_sum_of_other_contributions_is_refused(key, change):
    parts = contributions(key, {name: np.arange(5) for name in PARTIES})
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        totals(key, summed(change(parts)), 5, PARTIES, BINDING)


def test_a_contribution_to_another_plan_is_refused(key):
    shared = pair_secrets()
    parts = {
        name: list(
            contribute(
                key.public, np.arange(5), name, shared[name], "other" if name == "bank_b" else BINDING
            )
        )
        for name in PARTIES
    }
    with pytest.raises(CiphertextRefused, match="not of all contributors"):
        totals(key, summed(parts), 5, PARTIES, BINDING)


def test_another_key_is_refused(key):
    sums = summed(contributions(SecretKey(parameters.SUM), {n: np.arange(5) for n in PARTIES}))
    with pytest.raises(CiphertextRefused, match="another key"):
        totals(key, sums, 5, PARTIES, BINDING)


def test_the_holder_of_the_key_sees_a_single_contribution_as_uniform_words(key):
    words = []
    for _ in range(4):
        parts = contributions(key, {name: np.zeros(8191, dtype=np.int64) for name in PARTIES})
        words.append(key.decrypt(parts["bank_a"]))
    top = np.bincount((np.concatenate(words) >> np.uint64(52)).astype(int), minlength=256)
    expected = top.sum() / 256
    chi2 = ((top - expected) ** 2 / expected).sum()
    assert 150 < chi2 < 390  # 255 degrees of freedom: p about 1e-7 on either side
    assert not (words[0] == words[1]).any()


def test_masks_of_all_cancel():
    shared, modulus = pair_secrets(), bfv.modulus_of(parameters.SUM)
    total = np.zeros(1000, dtype=np.uint64)
    for name in PARTIES:
        total = masks.add(total, masks.mask(name, shared[name], "p", 1000, modulus), modulus)
    assert not total.any()


@pytest.mark.parametrize("modulus", [3, 257, (1 << 60) - 16383, 1 << 61])
def test_mask_words_are_below_the_modulus(modulus):
    words = masks.uniform(bytes(32), "p", 5000, modulus)
    assert words.size == 5000
    assert int(words.max()) < modulus
    assert abs(float(words.mean()) / (modulus - 1) - 0.5) < 0.05
