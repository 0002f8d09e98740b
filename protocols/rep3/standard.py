"""Features of secret rows made comparable: centred, and how they spread and go together.

Rule: what a regression needs to know of the rows beforehand. Centred features stay integers and
their scales stand beside them: dividing every entry would cost as much as some iterations.
"""

from dataclasses import dataclass

import numpy as np

from protocols.context import Context
from protocols.rep3.fixed import cross, matrix, rescale, reshare
from protocols.rep3.inverse_root import inverse_root
from protocols.rep3.share import Arith
from protocols.rounds import Steps

UNIT_BITS = 20  # scale of a feature, which lies between -1 and 1
MAX_ROWS = 1 << UNIT_BITS
SPREAD_BITS = 30
CORRELATION_BITS = 24


@dataclass(frozen=True, slots=True)
class Standard:
    """Centred features and their scales. Feature 0 is the constant 1 and isn't centred.

    Attributes:
        centred: (m, n), at scale UNIT_BITS; 0 in rows that are not there.
        means, scales: (m,), at scale UNIT_BITS; a scale is 1 over the standard deviation, or 0
            where that is below 2^-11.
        few: (1,), MAX_ROWS over the number of rows, at scale UNIT_BITS; 0 if there are none.
        deviations: (m,), standard deviations at scale SPREAD_BITS.
        correlations: (m, m), at scale CORRELATION_BITS.
    """

    centred: Arith
    means: Arith
    scales: Arith
    few: Arith
    deviations: Arith
    correlations: Arith


def standardise(ctx: Context, there: Arith, features: Arith) -> Steps[Standard]:
    """Centre features and find their scales and correlations.

    Args:
        there: (n,), 1 in rows that are there, 0 in others; at most MAX_ROWS rows.
        features: (m, n), from -1 to 1 at scale UNIT_BITS; 0 in rows that are not there. Feature 0
            is 1 in all others.

    Cost: 65 rounds; each party sends 8 m n bytes, and about 3 kB for each feature and 100 bytes
        for each pair of them.
    Security: semi-honest, honest majority; no leakage.
    """
    count = _total(there).reshape(1).scale(1 << UNIT_BITS)
    root = yield from inverse_root(ctx.at("root"), count)
    few = yield from rescale(ctx.at("few"), cross(np.multiply, root, root), UNIT_BITS)
    sums = cross(np.multiply, _total(features), few)
    means = _but_first((yield from rescale(ctx.at("means"), sums, 2 * UNIT_BITS)))
    moved = yield from reshare(ctx.at("moved"), cross(np.multiply.outer, means, there))
    centred = features - moved
    squares = cross(matrix, centred, centred)
    products = yield from rescale(ctx.at("products"), squares, UNIT_BITS)
    averages = yield from rescale(ctx.at("averages"), cross(np.multiply, products, few), UNIT_BITS)
    diagonal = np.diag_indices(features.shape[0])
    scales = yield from inverse_root(ctx.at("scales"), averages[diagonal])
    half = yield from rescale(ctx.at("rows"), cross(np.multiply, averages, scales), SPREAD_BITS)
    both = cross(np.multiply, half, scales.reshape(-1, 1))
    places = SPREAD_BITS + UNIT_BITS - CORRELATION_BITS
    correlations = yield from rescale(ctx.at("columns"), both, places)
    return Standard(centred, means, scales, few, half[diagonal], correlations)


def _total(x: Arith) -> Arith:
    return Arith(np.atleast_1d(x.own.sum(axis=-1)), np.atleast_1d(x.next.sum(axis=-1)))


def _but_first(x: Arith) -> Arith:
    """Set the first element to 0."""
    own, following = x.own.copy(), x.next.copy()
    own[0] = following[0] = 0
    return Arith(own, following)
