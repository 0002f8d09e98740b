"""Sums of fixed-point words against exact rational sums, at any bound; numbers that are refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.secagg.errors import BeyondBound, NotFinite
from protocols.secagg.fixed_point import FixedPoint

BOUNDS = st.floats(min_value=5e-324, max_value=1e300, allow_nan=False)


@given(BOUNDS, st.integers(1, 1000))
@example(1.0, 3)
@example(5e-324, 1)
@example(1.7e308, 1000)
def test_the_scale_is_the_largest_that_cannot_wrap(bound: float, members: int) -> None:
    fixed = FixedPoint(bound, members)
    largest = int(fixed.encode(np.array([bound]))[0])
    assert members * largest < 1 << 63
    assert largest == round(Fraction(bound) * Fraction(2) ** fixed.bits)
    assert members * round(Fraction(bound) * Fraction(2) ** (fixed.bits + 1)) >= 1 << 63


@given(BOUNDS, st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=20))
@example(1.0, [1.0, 1.0, 1.0])
@example(3.0, [-1.0] * 7)
def test_sums_are_as_near_as_said(bound: float, parts: list[float]) -> None:
    values = np.array(parts) * bound
    fixed = FixedPoint(bound, len(parts))
    found = fixed.decode(np.sum(fixed.encode(values[:, None]), axis=0, dtype=np.uint64))[0]
    exact = sum(map(Fraction, values.tolist()))
    allowed = Fraction((len(parts) + 1) * len(parts)) * Fraction(bound) / 2**63
    last_place = Fraction(float(np.spacing(abs(found)))) / 2
    assert abs(Fraction(float(found)) - exact) <= allowed + last_place


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(NotFinite, match=r"^an update holds NaN or infinity$"):
        FixedPoint(1e300, 3).encode(np.array([0.0, bad]))


@pytest.mark.parametrize("bad", [1.0000000000000002, -1e9])
def test_what_is_beyond_the_bound_is_refused_without_its_value(bad: float) -> None:
    with pytest.raises(BeyondBound) as caught:
        FixedPoint(1.0, 3).encode(np.array([0.0, bad]))
    assert str(bad) not in str(caught.value)


@pytest.mark.parametrize(("bound", "members"), [(0, 3), (-1, 3), (np.inf, 3), (np.nan, 3), (1, 0)])
def test_bounds_that_are_none(bound: float, members: int) -> None:
    with pytest.raises(ValueError, match="positive finite bound"):
        FixedPoint(bound, members)


def test_shapes_stay_and_nothing_is_a_block_too() -> None:
    fixed = FixedPoint(2.0, 5)
    assert fixed.encode(np.zeros((2, 3))).shape == (2, 3)
    assert fixed.decode(fixed.encode(np.zeros(0))).size == 0
