"""Newton's equations at the recipient, and what it means if they have no one solution.

Rule: arithmetic on opened sums; a fault names columns.
"""

from collections.abc import Sequence

import numpy as np

from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Floats

_DEPENDENT = 1e-9  # an eigenvalue of the correlations below: columns depend on each other
_PART = 0.1  # of such an eigenvector: a column takes part
_MOVES = 0.5  # a late step that moves a predictor by more, over a feature's range


def inverse(curvature: Floats, names: Sequence[str]) -> Floats:
    """Invert a curvature (p, p).

    Raises:
        TrainingImpossible: naming the columns that depend on each other.
    """
    scale = np.sqrt(np.maximum(np.diag(curvature), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(curvature / np.outer(scale, scale))
    if values[0] < _DEPENDENT:
        taking_part = np.abs(vectors[:, 0]) > _PART
        which = ", ".join(name for name, one in zip(names, taking_part, strict=True) if one)
        what = f"columns that depend on each other in these rows: {which}"
        remedy = "Leave one of them out, or give a penalty l2 above 0."
        raise TrainingImpossible(what, remedy=remedy)
    found: Floats = (vectors / values) @ vectors.T / np.outer(scale, scale)
    return found


def diverging(moves: Floats, names: Sequence[str]) -> None:
    """Check that coefficients don't run away after many rounds.

    Args:
        moves: (p,) how far the last step moved each column's part of a predictor, at most.

    Raises:
        TrainingImpossible: naming the columns whose coefficients do.
    """
    far = np.abs(moves) > _MOVES
    if far.any():
        which = ", ".join(name for name, one in zip(names, far, strict=True) if one)
        what = f"a target that features tell apart completely, so no coefficient fits best: {which}"
        remedy = "Leave these features out, or give a penalty l2 above 0."
        raise TrainingImpossible(what, remedy=remedy)
