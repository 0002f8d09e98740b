"""Products of standardised columns, summed: what covariances follow from.

Rule: both halves of 'columns.products', for components and for the start of clusters.
"""

import numpy as np

from cleanroom.learning.checks import check_answer
from cleanroom.learning.curvature import square
from cleanroom.learning.facts import Floats
from cleanroom.learning.preparing import SLACK
from cleanroom.learning.standing import OwnMatrix, Standing
from cleanroom.learning.step import Block, Step, Sums

PRODUCTS = "columns.products"


def products_step(standing: Standing) -> Step:
    """Return the question; a column's squares add up to `rows`, which bounds all products."""
    p, rows = len(standing.preparation.used), standing.rows * SLACK
    blocks = Block("products", (p * (p + 1) // 2,), rows), Block("rows", (), rows)
    return Step(PRODUCTS, blocks, standing.numbers())


def products(own: OwnMatrix, step: Step) -> Sums:
    """Answer with this owner's sums."""
    from cleanroom.learning.kernels import add_products

    standing, matrix, _ = own.of(step)
    check_answer(step, products_step(standing).answer)
    p, n = matrix.shape
    total = np.zeros((p, p))
    add_products(matrix, np.zeros(n), np.ones(n), 0, np.zeros(p), total)
    return {"products": total[np.triu_indices(p)], "rows": np.array(float(n))}


def covariance(standing: Standing, sums: Sums) -> tuple[Floats, int]:
    """Return the covariance (used, used) in the units that distances count in, and the rows."""
    rows = round(float(sums["rows"]))
    unit = 1 / standing.preparation.units
    second = square(sums["products"], len(unit)) / max(rows - 1, 1)
    return second * np.outer(unit, unit), rows
