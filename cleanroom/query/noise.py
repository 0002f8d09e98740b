"""How much noise a question needs: its epsilon, divided among its totals.

Rule: exact fractions, from what the contract says and the question asks alone. What a person can
change at most is shown in `contributions`.
"""

from collections.abc import Mapping
from fractions import Fraction

from cleanroom.budget.zcdp import charged, rho_within
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.noise import NoisyTotal, QueryNoise
from protocols.dp.shares import SharedNoise, share_noise

MAX_EPSILON = 20.0
_SPARE = 1 + Fraction(1, 1 << 20)  # of variance, for what shares differ from one discrete Gaussian
_LEAST_SHARE = 8  # of variance: the sum of smaller shares would differ more than that


def checked_epsilon(epsilon: object) -> float:
    """Return an epsilon that a question may be asked with.

    Raises:
        UnsupportedQuery: if it is no number, or not above 0, or too large to promise anything.
    """
    if type(epsilon) in (int, float):
        number = float(str(epsilon))
        if 0 < number <= MAX_EPSILON:  # which NaN isn't, either
            return number
    what = f"an epsilon that isn't a number above 0, up to {MAX_EPSILON:g}"
    raise UnsupportedQuery(what, remedy="Ask with epsilon = 0.1, say.")


def noise_of(
    epsilon: float,
    delta: float,
    asked: Mapping[str, tuple[str, int]],
    *,
    rows: int,
    cells: int,
    sharers: int,
    lost: int,
) -> QueryNoise:
    """Return the noise of a question's totals, each of which takes an equal part of rho.

    Args:
        asked: total -> its form, and the most, squared, by which one person changes it in all
            cells together.
        sharers, lost: who adds noise, and how many of them may tell theirs to the recipient.

    Raises:
        UnsupportedQuery: if no noise can be drawn that large.
    """
    each = rho_within(epsilon, delta) / len(asked)
    found, cost = [], Fraction(0)
    for name, (form, squared) in asked.items():
        noise = _noise(squared, each, sharers, lost, cells)
        cost += noise.rho(squared)
        found.append(NoisyTotal(name, form, squared, noise.share.as_integer_ratio()))
    if cost > each * len(asked):
        raise ValueError("the noise doesn't keep to its epsilon")
    counted, units = sharers - lost, charged(cost)
    return QueryNoise(epsilon, delta, rows, cells, sharers, counted, units, tuple(found))


def _noise(squared: int, rho: Fraction, sharers: int, lost: int, cells: int) -> SharedNoise:
    least = Fraction(_LEAST_SHARE * (sharers - lost))
    try:
        if rho == 0:
            raise ValueError("nothing to spend")
        return share_noise(max(squared / (2 * rho) * _SPARE, least), sharers, lost, cells)
    except ValueError:
        what = "noise that large, as so small an epsilon takes for columns of such bounds"
        remedy = "Ask with a larger epsilon, for fewer columns, or declare tighter bounds."
        raise UnsupportedQuery(what, remedy=remedy) from None
