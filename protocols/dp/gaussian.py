"""The discrete Gaussian distribution, sampled exactly: P(y) in proportion to exp(-y^2 / 2 sigma^2).

Its mean is 0, its variance at most sigma^2 and equal to it within a part in 10^6 from sigma = 1 on.
"""

from fractions import Fraction
from math import isqrt

import numpy as np

from protocols.dp.bernoulli import Coins, exp_coins
from protocols.dp.laplace import I64, gathered, laplace_block
from protocols.dp.words import Words
from protocols.rounds import U64

MAX_PARTS = 1 << 54  # of sigma squared: numerator, and denominator times (sigma + 1)^2
_FAR = 64  # in units of sigma + 1
_STEPS = tuple(1 << bits for bits in range(1, 25))  # between coarse values
_FINE = 16  # variance of the fine part, in squared steps
_LEAST_COARSE = 1 << 50


def discrete_gaussian(words: Words, variance: Fraction, n: int) -> I64:
    """Return n values y, each with probability in proportion to exp(-y^2 / (2 variance)).

    A discrete Laplace y of scale t = floor(sigma) + 1 is kept with probability exp(-x),
    x = (|y| - sigma^2/t)^2 / (2 sigma^2). With sigma^2 = a/b and z = ||y| t b - a|, that is
    x = z/2a * z/(b t^2), all of them integers.

    A larger variance is that of step * c + f, with c and f of variances 2^50 or more, and 16
    step^2. A value y then has the probability above times a sum over all c of
    exp(-(c - m(y))^2 / (2 s)), s above 15, which depends on m(y) by less than a part in
    exp(2 pi^2 s) / 4 > 2^400.

    Args:
        variance: sigma^2 = a/b > 0, with a and b t^2 up to 2^54, or such a number plus 16, times
            a step^2 of at most 2^48; `samplable` finds one.

    Returns:
        int64 (n,), independent.

    Raises:
        ValueError: if the variance isn't such a number.

    Cost: local; about 25 words a value.
    Security: the distribution is exact, with one exception: candidates beyond 64 t, which would
        be kept with probability below exp(-2000), are refused unseen, so that z stays below 2^61.
        Time tells how many candidates were refused.
    Source: Canonne, Kamath, Steinke, NeurIPS 2020, algorithm 3; there x is computed as one
        quotient, here as a product of two, so that machine words hold all of it.
    """
    if _fits(variance):
        return gathered(lambda m: _block(words, variance, m), n)
    step = next((step for step in _STEPS if _fits(_coarse(variance, step))), None)
    if step is None:
        raise ValueError("a variance outside of what can be sampled")
    coarse = discrete_gaussian(words, _coarse(variance, step), n)
    return coarse * step + discrete_gaussian(words, Fraction(_FINE * step**2), n)


def is_samplable(variance: Fraction) -> bool:
    """Return whether `discrete_gaussian` takes this variance."""
    return _fits(variance) or any(_fits(_coarse(variance, step)) for step in _STEPS)


def _fits(variance: Fraction) -> bool:
    """Return whether machine words hold all that sampling this variance at once takes."""
    if variance <= 0:
        return False
    return max(variance.numerator, variance.denominator * _proposal(variance) ** 2) <= MAX_PARTS


def _coarse(variance: Fraction, step: int) -> Fraction:
    """Return the variance of the coarse part, 0 where it would be too small for the sum."""
    rest = variance / step**2 - _FINE
    return rest if rest >= _LEAST_COARSE else Fraction(0)


def samplable(variance: Fraction) -> Fraction:
    """Return the least variance that can be sampled and isn't below the one given.

    Among the multiples of the smallest possible power of two; it exceeds what was given by less
    than 2^-47, or by less than a part in 2^47 where that is more.

    Raises:
        ValueError: if there is none: it isn't positive, or too large.
    """
    if is_samplable(variance):
        return variance
    for bits in range(48, -1, -1):
        rounded = Fraction(-(-variance * (1 << bits) // 1), 1 << bits)
        if _fits(rounded):
            return rounded
    for step in _STEPS:
        rounded = Fraction(-(-variance // step**2) * step**2)
        if _fits(_coarse(rounded, step)):
            return rounded
    raise ValueError("no variance that large can be sampled")


def _proposal(variance: Fraction) -> int:
    return isqrt(variance.numerator // variance.denominator) + 1


def _block(words: Words, variance: Fraction, m: int) -> I64:
    t = _proposal(variance)
    y = laplace_block(words, Fraction(t), m)
    y = y[np.abs(y) < _FAR * t]
    return y[_kept(words, y, t, variance)]


def _kept(words: Words, y: I64, t: int, variance: Fraction) -> Coins:
    """Toss the coins of probability exp(-x): m coins of probability exp(-x/m), all true.

    m is the product of two integers by which the two factors of x come down to 1 at most.
    """
    a, b = variance.numerator, variance.denominator
    z = np.abs(np.abs(y) * (t * b) - a).astype(np.uint64)
    first, m1 = _shortened(z, 2 * a)
    second, m2 = _shortened(z, b * t * t)
    kept = np.ones(z.size, np.bool_)
    alive, m = np.arange(z.size), m1 * m2
    while alive.size:
        heads = exp_coins(words, (z[alive], first[alive]), (z[alive], second[alive]))
        kept[alive] = heads
        m[alive] -= np.uint64(1)
        alive = alive[heads & (m[alive] > 0)]
    return kept


def _shortened(z: U64, d: int) -> tuple[U64, U64]:
    """Return a denominator of at least z and how many times d it is, at least once."""
    times = np.maximum((z + np.uint64(d - 1)) // np.uint64(d), np.uint64(1))
    return times * np.uint64(d), times
