"""Rho and epsilon against dp-accounting's own numbers."""

import math
from decimal import Decimal
from fractions import Fraction

import dp_accounting
import pytest
from dp_accounting import rdp
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.budget.account import gaussian
from cleanroom.budget.zcdp import UNITS, allowed, charged, epsilon, rho_within

ORDERS = [1 + 2 ** (i / 40) for i in range(-200, 600)]


@pytest.mark.parametrize("rho", ["1/1000", "1/50", "1/10", "1", "10"])
@pytest.mark.parametrize("delta", [1e-9, 1e-5])
def test_epsilon_is_that_of_the_accountant(rho: str, delta: float) -> None:
    accountant = rdp.RdpAccountant(orders=ORDERS)
    accountant.compose(dp_accounting.ZCDpEvent(float(Fraction(rho))))
    ours, theirs = float(epsilon(Fraction(rho), delta)), accountant.get_epsilon(delta)
    assert ours == pytest.approx(theirs, rel=1e-4, abs=2e-6)


@settings(max_examples=20, deadline=None)
@given(st.decimals("0.01", "20", places=4), st.sampled_from([1e-12, 1e-9, 1e-6]))
def test_a_limit_is_the_largest_that_keeps_epsilon(most: Decimal, delta: float) -> None:
    rho = rho_within(most, delta)
    assert epsilon(rho, delta) <= most
    assert epsilon(rho + Fraction(10, UNITS) + rho / 10**5, delta) > most


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf])
def test_epsilons_that_mean_nothing_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        rho_within(wrong, 1e-9)


@pytest.mark.parametrize("delta", [0.0, 1.0, -1e-9, math.nan])
def test_deltas_that_mean_nothing_are_refused(delta: float) -> None:
    with pytest.raises(ValueError, match="delta"):
        epsilon(Fraction(1), delta)


def test_costs_round_up_and_limits_down() -> None:
    third = Fraction(1, 3)
    assert charged(third) == allowed(third) + 1
    assert charged(Fraction(1, 10**40)) == 1
    for wrong in (Fraction(0), Fraction(-1), Fraction(10**7)):
        with pytest.raises(ValueError, match="million"):
            charged(wrong)


def test_both_accountants_agree_on_the_order() -> None:
    """The privacy loss distribution is tighter than Renyi divergence, and order is no matter."""
    found = gaussian([(10.0, 15), (20.0, 40)], 1e-6)
    assert found.loss_distribution < found.renyi
    assert found.renyi == pytest.approx(epsilon(Fraction(25, 200), 1e-6), rel=Decimal("0.01"))
    assert gaussian([(20.0, 40), (10.0, 15)], 1e-6).renyi == pytest.approx(found.renyi)
    for wrong in [(0.0, 1)], [(1.0, 0)]:
        with pytest.raises(ValueError, match="out of range"):
            gaussian(wrong, 1e-6)
