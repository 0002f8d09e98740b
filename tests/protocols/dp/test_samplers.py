"""Samplers against exact probabilities, and a test that tells half the noise from all of it."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, chi2, chisquare, norm

from protocols.dp.bernoulli import exp_coins, exp_runs
from protocols.dp.gaussian import discrete_gaussian, is_samplable, samplable
from protocols.dp.laplace import I64, discrete_laplace
from protocols.dp.words import Words, below
from protocols.randomness import stream

KEY = bytes(range(32))
N = 40_000
FEW = settings(max_examples=25, deadline=None)


def chi_square(values: I64, weight: Callable[[int], float], reach: int) -> float:
    """Return the p-value of values under weights; what lies beyond `reach` is one cell."""
    weights = np.array([weight(y) for y in range(-4 * reach, 4 * reach + 1)])
    exact = weights / weights.sum()
    inner = slice(3 * reach, 5 * reach + 1)
    cells = np.append(exact[inner], 1 - exact[inner].sum())
    within = values[np.abs(values) <= reach]
    seen = np.append(np.bincount(within + reach, minlength=2 * reach + 1), N - within.size)
    wanted = N * cells
    used = wanted >= 5
    statistic = ((seen - wanted)[used] ** 2 / wanted[used]).sum()
    return float(chi2.sf(statistic, used.sum() - 1))


@pytest.mark.parametrize("variance", ["1/8", "1/4", "1", "7/3", "50", "1000"])
def test_discrete_gaussian_has_its_probabilities(variance: str) -> None:
    sigma2 = Fraction(variance)
    values = discrete_gaussian(Words(KEY, variance), sigma2, N)
    reach = math.ceil(4 * math.sqrt(sigma2)) + 1
    assert chi_square(values, lambda y: math.exp(-y * y / (2 * float(sigma2))), reach) > 1e-4


@pytest.mark.parametrize("variance", [2**60, 10**24, 2**98])
def test_a_wide_gaussian_has_its_probabilities(variance: int) -> None:
    """In 40 cells of equal probability, and in every residue of the step between coarse values."""
    values = discrete_gaussian(Words(KEY, "wide"), samplable(Fraction(variance)), N)
    cells = np.floor(norm.cdf(values / math.sqrt(variance)) * 40).astype(int)
    assert chisquare(np.bincount(cells, minlength=40)).pvalue > 1e-3
    assert chisquare(np.bincount(values % 8, minlength=8)).pvalue > 1e-3


@pytest.mark.parametrize("scale", ["1/3", "1", "5/2", "20"])
def test_discrete_laplace_has_its_probabilities(scale: str) -> None:
    values = discrete_laplace(Words(KEY, scale), Fraction(scale), N)
    reach = math.ceil(6 * Fraction(scale)) + 1
    assert chi_square(values, lambda y: math.exp(-abs(y) / float(Fraction(scale))), reach) > 1e-4


@pytest.mark.parametrize("promised", ["4", "1000000", str(2**45)])
def test_half_the_noise_is_noticed(promised: str) -> None:
    """The variance of N values lies within 5 % of the promise; a quarter of it doesn't."""

    def keeps_promise(values: I64) -> bool:
        return bool(abs((values.astype(float) ** 2).mean() / float(promised) - 1) < 0.05)

    words = Words(KEY, promised)
    assert keeps_promise(discrete_gaussian(words, Fraction(promised), N))
    assert not keeps_promise(discrete_gaussian(words, Fraction(promised) / 4, N))


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(1, 2)])
def test_a_count_keeps_its_epsilon_and_half_the_noise_does_not(scale: Fraction) -> None:
    """What 200 000 answers to a count prove of epsilon, at 99.9 %: at most 1 under scale 1."""
    n = 200_000
    words = Words(KEY, "audit")
    without, with_person = (discrete_laplace(words, scale, n) + count for count in (0, 1))
    proven = []
    for threshold in range(-2, 4):
        high, low = (int((x >= threshold).sum()) for x in (with_person, without))
        least = beta.ppf(0.001, high, n - high + 1)
        most = beta.ppf(0.999, low + 1, n - low)
        proven.append(math.log(least / most))
    assert (max(proven) <= 1) == (scale == 1)
    assert set(without) >= set(range(-3, 4)) <= set(with_person)


@pytest.mark.parametrize(("over", "under"), [(0, 1), (1, 1), (1, 3), (2**61 - 1, 2**62)])
def test_coins_fall_with_exp(over: int, under: int) -> None:
    top = np.full(N, over, np.uint64)
    expected = math.exp(-((over / under) ** 2))
    heads = exp_coins(Words(KEY), (top, under), (top, np.full(N, under, np.uint64))).mean()
    assert abs(heads - expected) <= 4.5 * math.sqrt(expected * (1 - expected) / N)


def test_runs_are_geometric() -> None:
    runs = exp_runs(Words(KEY), N)
    for longer in range(6):
        share = math.exp(-longer)
        assert abs((runs >= longer).mean() - share) <= 4.5 * math.sqrt(share * (1 - share) / N)


@pytest.mark.parametrize("bound", [1, 3, 2**63 + 1, 2**64 - 1])
def test_residues_are_uniform(bound: int) -> None:
    """Also where half of all words are drawn again."""
    drawn = below(Words(KEY), bound, N)
    assert max(map(int, drawn)) < bound
    lower = (drawn < np.uint64((bound + 1) // 2)).mean()
    share = ((bound + 1) // 2) / bound
    assert abs(lower - share) <= 4.5 * math.sqrt(share * (1 - share) / N)


def test_each_element_has_its_own_bound() -> None:
    bounds = np.arange(1, 2001, dtype=np.uint64)
    assert (below(Words(KEY), bounds, 2000) < bounds).all()


@FEW
@given(st.lists(st.integers(0, 20_000), max_size=6))
def test_words_are_read_once(sizes: list[int]) -> None:
    """However they are asked for, the blocks come one after another, none twice."""
    words = Words(KEY)
    taken = np.concatenate([np.empty(0, np.uint64), *[words.take(n) for n in sizes]])
    assert taken.size == sum(sizes)
    assert np.unique(taken).size == taken.size
    if 0 < taken.size <= 8192:
        assert np.array_equal(taken, stream(KEY, "noise|0", 8192)[: taken.size])


@FEW
@given(st.fractions(Fraction(1, 10**6), 2**90))
def test_any_variance_is_rounded_up_a_little(variance: Fraction) -> None:
    rounded = samplable(variance)
    assert is_samplable(rounded)
    assert variance <= rounded <= variance + max(variance, Fraction(1)) / 2**47
    assert discrete_gaussian(Words(KEY), rounded, 3).shape == (3,)


@pytest.mark.parametrize("wrong", [Fraction(0), Fraction(-1), Fraction(2**110), Fraction(1, 2**60)])
def test_impossible_parameters_are_refused(wrong: Fraction) -> None:
    with pytest.raises(ValueError, match="outside"):
        discrete_gaussian(Words(KEY), wrong, 1)
    with pytest.raises(ValueError, match="outside"):
        discrete_laplace(Words(KEY), wrong, 1)
    if wrong <= 0 or wrong > 2**55:
        with pytest.raises(ValueError, match="can be sampled"):
            samplable(wrong)


def test_no_values_and_short_keys() -> None:
    assert discrete_gaussian(Words(KEY), Fraction(1), 0).size == 0
    with pytest.raises(ValueError, match="32"):
        Words(bytes(16))
    assert "key" not in repr(Words(KEY))
