"""INSECURE twins of regressions: the same iterations in floating point, no protection."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from protocols.rep3.regression import DOUBLINGS, L2_BITS, MOMENTUM_BITS, Descent, momentum

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + exp(-z)). INSECURE."""
    chances: Floats = 1 / (1 + np.exp(-np.clip(z, -40, 40)))
    return chances


def inverse_root(v: Floats) -> Floats:
    """Return 1 / sqrt(v), 0 below 2^-22. INSECURE."""
    return np.where(v < 2**-22, 0.0, 1 / np.sqrt(np.maximum(v, 2**-22)))


def fit_logistic(there: Flags, features: Floats, target: Floats, descent: Descent) -> Floats:
    """Return the coefficients of (m, n) features, of which the first is the constant. INSECURE."""
    x, means, scales = _standardised(there, features)
    aims = target[there]

    def gradient(weights: Floats) -> Floats:
        found: Floats = x @ (sigmoid(weights @ x) - aims) / len(aims)
        return found

    best = _descended(gradient, x @ x.T / (4 * len(aims)), descent, len(aims), 4)
    return _given(best, means, scales)


def fit_linear(there: Flags, columns: Floats, descent: Descent) -> Floats:
    """Return the coefficients of all columns but the last, which is the target. INSECURE."""
    x, means, scales = _standardised(there, columns)
    together = x @ x.T / x.shape[1]
    inner, aims = together[:-1, :-1], together[-1, :-1]
    best = _descended(lambda w: inner @ w - aims, inner, descent, x.shape[1], 1)
    given = _given(best / (scales[-1] or 1), means[:-1], scales[:-1])
    given[0] += means[-1]
    return given


def _standardised(there: Flags, features: Floats) -> tuple[Floats, Floats, Floats]:
    """Return features of rows that are there, centred and scaled; means and 1 / deviation."""
    kept = features[:, there]
    means = kept.mean(axis=1)
    means[0] = 0
    centred = kept - means[:, None]
    scales = inverse_root((centred**2).mean(axis=1))
    return centred * scales[:, None], means, scales


def _descended(
    gradient: Callable[[Floats], Floats], bound: Floats, descent: Descent, rows: int, factor: int
) -> Floats:
    """Minimise the loss of a gradient whose curvature nowhere exceeds `bound`, with penalty."""
    m, l2 = len(bound), descent.l2 / 2**L2_BITS
    free = np.append(0.0, np.ones(m - 1))
    bound = bound + np.diag(free * l2 / rows)
    inverse = np.eye(m) / (m / factor + l2 / descent.least_rows)
    for _ in range(DOUBLINGS):
        inverse = inverse @ (2 * np.eye(m) - bound @ inverse)
    best = ahead = np.zeros(m)
    for i in range(descent.iterations):
        moved = ahead - inverse @ (gradient(ahead) + free * ahead * l2 / rows)
        ahead, best = moved + (moved - best) * momentum(i) / 2**MOMENTUM_BITS, moved
    return best


def _given(best: Floats, means: Floats, scales: Floats) -> Floats:
    slopes = best * scales
    slopes[0] -= means @ slopes
    return slopes
