"""The discrete Laplace distribution, sampled exactly: P(y) in proportion to exp(-|y| / scale)."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from protocols.dp.bernoulli import exp_coins, exp_runs
from protocols.dp.words import Words, below

I64 = NDArray[np.int64]
MAX_PARTS = 1 << 40  # numerator and denominator of a scale
BLOCK = 1 << 14  # candidates at a time: their arrays stay in a cache of a core


def discrete_laplace(words: Words, scale: Fraction, n: int) -> I64:
    """Return n values y, each with probability in proportion to exp(-|y| / scale).

    Args:
        scale: of numerator and denominator from 1 to 2^40.

    Returns:
        int64 (n,), independent.

    Raises:
        ValueError: if the scale isn't such a number.

    Cost: local; about 15 words a value.
    Security: the distribution is exact, with one exception: a magnitude beyond 2^63 would wrap,
        which has probability below exp(-2^22). Time tells how many candidates were refused.
    Source: Canonne, Kamath, Steinke, NeurIPS 2020, algorithm 2.
    """
    if scale <= 0 or max(scale.numerator, scale.denominator) > MAX_PARTS:
        raise ValueError("a scale outside of what can be sampled")
    return gathered(lambda m: laplace_block(words, scale, m), n)


def laplace_block(words: Words, scale: Fraction, m: int) -> I64:
    """Return as many values as m candidates give.

    With t/s the scale, u + t v for u below t, kept with probability exp(-u/t), and v a run of
    coins of probability exp(-1), has probability in proportion to exp(-(u + t v) / t). Divided
    by s and rounded down it is y with probability in proportion to exp(-y s / t). Of the two
    signs of 0 one is refused.
    """
    t = scale.numerator
    u = below(words, t, m)
    u = u[exp_coins(words, (u, t))]
    magnitude = u + np.uint64(t) * exp_runs(words, u.size)
    y = (magnitude // np.uint64(scale.denominator)).astype(np.int64)
    negative = below(words, 2, y.size).astype(np.bool_)
    signed: I64 = np.where(negative, -y, y)[~(negative & (y == 0))]
    return signed


def gathered(block: Callable[[int], I64], n: int) -> I64:
    """Return the first n values of as many blocks as that takes.

    Whether a value is taken depends on its place alone, never on what it is.
    """
    blocks: list[I64] = []
    missing = n
    while missing > 0:
        blocks.append(block(min(2 * missing + 16, BLOCK))[:missing])
        missing -= blocks[-1].size
    return np.concatenate([np.empty(0, np.int64), *blocks])
