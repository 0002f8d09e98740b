"""Zero-concentrated differential privacy: what adds up in a ledger, and what people read.

Rule: rho is exact, a whole number of units; epsilon is only ever reported, rounded up.
"""

import math
from decimal import ROUND_UP, Decimal
from fractions import Fraction
from functools import lru_cache

UNITS = 10**12  # of rho = 1
MAX_RHO = 1_000_000
_DIGITS = Decimal("0.000001")
_STEPS = 200


def charged(rho: Fraction) -> int:
    """Return a cost in units, rounded up.

    Raises:
        ValueError: if it isn't positive, or absurdly large.
    """
    if not 0 < rho <= MAX_RHO:
        raise ValueError("a cost is above 0 and at most a million")
    return math.ceil(rho * UNITS)


def allowed(rho: Fraction) -> int:
    """Return a limit in units, rounded down."""
    if not 0 <= rho <= MAX_RHO:
        raise ValueError("a limit is at least 0 and at most a million")
    return math.floor(rho * UNITS)


def epsilon(rho: Fraction, delta: float) -> Decimal:
    """Return the least epsilon for which rho is (epsilon, delta)-private, rounded up.

    Each order a above 1 proves epsilon = a rho + log(1 - 1/a) - log(delta a) / (a - 1); the
    least is sought over log(a - 1), in which the expression has one valley.

    Source: Canonne, Kamath, Steinke, NeurIPS 2020, corollary 13, as dp-accounting does it.
    """
    if not 0 < delta < 1:
        raise ValueError("delta lies between 0 and 1")
    if rho == 0:
        return Decimal(0)
    low, high = -20.0, 50.0
    for _ in range(_STEPS):
        third = (high - low) / 3
        if _at(low + third, float(rho), delta) < _at(high - third, float(rho), delta):
            high -= third
        else:
            low += third
    least = max(0.0, _at((low + high) / 2, float(rho), delta)) * (1 + 1e-9)
    return Decimal(least).quantize(_DIGITS, rounding=ROUND_UP)


@lru_cache(maxsize=256)
def rho_within(most: Decimal | float, delta: float) -> Fraction:
    """Return the largest rho, in whole units, that is (epsilon, delta)-private for this epsilon.

    Raises:
        ValueError: if epsilon isn't a positive number, or delta not between 0 and 1.
    """
    limit = Decimal(most)
    if not (limit.is_finite() and limit > 0):
        raise ValueError("epsilon is a positive number")
    low, high = 0, MAX_RHO * UNITS
    while low < high:
        middle = (low + high + 1) // 2
        if epsilon(Fraction(middle, UNITS), delta) <= limit:
            low = middle
        else:
            high = middle - 1
    return Fraction(low, UNITS)


def _at(log_above_one: float, rho: float, delta: float) -> float:
    """Return the epsilon that one order proves; the order is 1 + exp(log_above_one)."""
    above = math.exp(log_above_one)
    order = 1 + above
    return order * rho + math.log(above / order) - (math.log(delta) + math.log(order)) / above
