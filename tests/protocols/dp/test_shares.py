"""Noise in shares: what is left without some of them, and what it costs."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.dp.shares import SharedNoise, noise_shares, share_noise
from protocols.dp.words import Words

KEY = bytes(range(32))


def test_what_remains_suffices() -> None:
    """Of five shares any three have the promised variance together, within 5 %."""
    noise = share_noise(Fraction(300), 5, 2, 30_000)
    shares = [noise_shares(Words(KEY, f"{i}"), noise) for i in range(5)]
    remaining = np.sum(shares[:3], axis=0).astype(float)
    assert abs((remaining**2).mean() / 300 - 1) < 0.05
    assert noise.variance == 300


@settings(max_examples=50, deadline=None)
@given(st.fractions(1, 10**9), st.integers(1, 100), st.integers(0, 99), st.integers(1, 10**6))
def test_shares_never_cost_more_than_promised(
    variance: Fraction, members: int, lost: int, dimension: int
) -> None:
    if lost >= members or variance < 4 * (members - lost):
        return
    noise = share_noise(variance, members, lost, dimension)
    assert noise.variance >= variance
    exact = Fraction(1) / (2 * variance)
    assert noise.rho(1) <= exact + Fraction(10 * members * dimension, 2**56)


def test_cost_covers_the_distance_to_one_gaussian() -> None:
    """The bound on tau is above its formula, and vanishes for a single share."""
    for share, counted in ((1, 2), (2, 7), (3, 40)):
        tau = 10 * sum(math.exp(-2 * math.pi**2 * share * k / (k + 1)) for k in range(1, counted))
        noise = SharedNoise(Fraction(share), counted, 9)
        assert noise.rho(0) >= tau * 9
    assert SharedNoise(Fraction(2), 1, 9).rho(4) == 1


def test_sum_of_shares_is_nearly_a_discrete_gaussian() -> None:
    """Exact convolution: log ratio of probabilities within 6 sigma stays below tau."""
    share, counted, reach = 2.0, 3, 60
    y = np.arange(-reach, reach + 1)
    one = np.exp(-(y**2) / (2 * share))
    one /= one.sum()
    total = one
    for _ in range(counted - 1):
        total = np.convolve(total, one)
    x = np.arange(-counted * reach, counted * reach + 1)
    single = np.exp(-(x**2) / (2 * share * counted))
    single /= single.sum()
    near = np.abs(x) <= 6 * math.sqrt(share * counted)
    tau = float(SharedNoise(Fraction(2), counted, 1).rho(0))
    assert np.abs(np.log(total[near] / single[near])).max() <= tau


@pytest.mark.parametrize(("variance", "members", "lost"), [(100, 3, 3), (100, 3, -1), (2, 3, 0)])
def test_too_little_noise_is_refused(variance: int, members: int, lost: int) -> None:
    with pytest.raises(ValueError, match=r"members|finer"):
        share_noise(Fraction(variance), members, lost, 10)
