"""Coins that fall with probability exp(-x), x rational, and runs of them.

Rule: a coin is decided by comparing a uniform integer with an integer.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.dp.words import Words, below
from protocols.rounds import U64

Coins = NDArray[np.bool_]


def exp_coins(words: Words, *quotients: tuple[U64, U64 | int]) -> Coins:
    """Toss one coin an element, true with probability exp(-x) exactly.

    x is the product of the quotients. For k = 1, 2, ... toss coins of probability x/k until one
    fails; that it fails first at an odd k has probability
    1 - x + x^2/2! - x^3/3! ... = exp(-x). A coin of probability x/k is a conjunction of
    independent ones, one for each quotient and one of 1/k, each true if a uniform integer below
    the denominator is below the numerator.

    Args:
        quotients: (numerator of shape (n,), denominator, one for all or (n,)); each denominator
            is at least 1 and at least its numerator.

    Returns:
        bool (n,).

    Cost: local; at most e tosses an element on average.
    Security: time tells how many tosses were needed.
    Source: Canonne, Kamath, Steinke, NeurIPS 2020, algorithm 1; there x is one quotient.
    """
    n = quotients[0][0].size
    odd = np.ones(n, np.bool_)
    alive = np.arange(n)
    k = 0
    while alive.size:
        k += 1
        if k > 1:
            alive = alive[below(words, k, alive.size) == 0]
        for over, under in quotients:
            bound = under if isinstance(under, int) else under[alive]
            alive = alive[below(words, bound, alive.size) < over[alive]]
        odd[alive] ^= True
    return odd


def exp_runs(words: Words, n: int) -> U64:
    """Return how often each of n coins of probability exp(-1) falls true before it fails: (n,)."""
    runs = np.zeros(n, np.uint64)
    alive = np.arange(n)
    while alive.size:
        alive = alive[exp_coins(words, (np.ones(alive.size, np.uint64), 1))]
        runs[alive] += np.uint64(1)
    return runs
