"""An owner's sums at given coefficients: loss, gradient and curvature, in blocks of rows.

Rule: arithmetic on one owner's matrix. A block of rows stays in the processor's cache while all
three are taken from it.
"""

from collections.abc import Mapping

import numpy as np

from cleanroom.learning.facts import Floats
from cleanroom.learning.likelihood import Likelihood

ROWS_PER_BLOCK = 8192  # few enough that NumPy's own sums don't start threads


def sums(likelihood: Likelihood, design: Floats, y: Floats, beta: Floats) -> Mapping[str, Floats]:
    """Return what one owner's rows add to a Newton step.

    Args:
        design: (p, n), the columns as rows; the intercept is one of them.
        y: (n,). beta: (p,).

    Returns:
        'loss' (), 'gradient' (p,) towards a smaller loss, 'curvature' (p (p + 1) / 2,), the upper
        triangle row by row, 'cut' (): how many linear predictors lay beyond the limit, and
        'rows' ().
    """
    from cleanroom.learning.kernels import add_products, predictors

    p, n = design.shape
    loss, cut = 0.0, 0
    gradient, curvature = np.zeros(p), np.zeros((p, p))
    for first in range(0, n, ROWS_PER_BLOCK):
        target = y[first : first + ROWS_PER_BLOCK]
        eta = np.empty(len(target))
        predictors(design, beta, first, eta)
        cut += int(np.count_nonzero(eta > likelihood.limit))
        part, residual, weight = likelihood.pieces(eta, target)
        loss += part
        add_products(design, residual, weight, first, gradient, curvature)
    upper = curvature[np.triu_indices(p)]
    return {
        "loss": np.array(loss),
        "gradient": gradient,
        "curvature": upper,
        "cut": np.array(float(cut)),
        "rows": np.array(float(n)),
    }


def square(upper: Floats, p: int) -> Floats:
    """Return the symmetric matrix (p, p) of an upper triangle."""
    found = np.zeros((p, p))
    found[np.triu_indices(p)] = upper
    return found + np.triu(found, 1).T
