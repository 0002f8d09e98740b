"""One round of k-means: rows at the centre nearest to each, summed.

Rule: both halves of 'kmeans.assign', in the units that distances count in.

Security: the recipient learns, for each cluster, how many rows of all owners are nearest to its
centre, and their sum. Between two rounds in which a single row changes its cluster, the difference
of sums is that row; and the recipient chooses the centres, so it could place one where few rows
are. An owner with fewer than `least` rows in a cluster leaves them out of the sums, which keeps a
person from standing there alone; it doesn't hide the difference between two rounds. Owners answer
as many rounds as the job says and no more.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.checks import check_answer
from cleanroom.learning.curvature import ROWS_PER_BLOCK
from cleanroom.learning.facts import Floats
from cleanroom.learning.preparing import SLACK
from cleanroom.learning.standing import OwnMatrix, Standing
from cleanroom.learning.step import Block, Step, Sums

ASSIGN = "kmeans.assign"


def assign_step(standing: Standing, centres: Floats) -> Step:
    """Return the question.

    A column's squares add up to at most `rows` in its unit; a row's nearest centre is no further
    than the one nearest to the origin, and |x - c|^2 <= 2 |x|^2 + 2 |c|^2.
    """
    clusters, rows = len(centres), standing.rows * SLACK
    unit = 1 / standing.preparation.units
    nearest = float((centres**2).sum(axis=1).min())
    blocks = (
        Block("sums", centres.shape, rows * float(unit.max(initial=1.0))),
        Block("counts", (clusters,), rows),
        Block("distances", (clusters,), 2 * rows * (float((unit**2).sum()) + nearest)),
    )
    return Step(ASSIGN, blocks, {**standing.numbers(), "clusters": centres})


def assigned(own: OwnMatrix, least: int, clusters: int, step: Step) -> Sums:
    """Answer with each cluster's sum, count and squared distances from its centre."""
    standing, matrix, (centres,) = own.of(step, clusters=(clusters, -1))
    check_answer(step, assign_step(standing, centres).answer)
    unit = 1 / standing.preparation.units
    sums, counts, distances = np.zeros(centres.shape), np.zeros(clusters), np.zeros(clusters)
    for x, cluster, squared in _blocks(matrix, unit, centres):
        member = (cluster[:, None] == np.arange(clusters)).astype(float)
        sums += (x @ member).T
        counts += member.sum(axis=0)
        distances += squared @ member
    kept = counts >= least
    return {
        "sums": sums * kept[:, None],
        "counts": counts * kept,
        "distances": np.maximum(distances, 0.0) * kept,
    }


def nearest(matrix: Floats, unit: Floats, centres: Floats) -> NDArray[np.intp]:
    """Return each row's cluster, (n,): of the nearest centre, the first among equals."""
    found = [cluster for _, cluster, _ in _blocks(matrix, unit, centres)]
    return np.concatenate([np.zeros(0, np.intp), *found])


def _blocks(
    matrix: Floats, unit: Floats, centres: Floats
) -> Iterator[tuple[Floats, NDArray[np.intp], Floats]]:
    """Yield some rows as columns (used, n), their clusters and squared distances (n,)."""
    lengths = (centres**2).sum(axis=1)
    for first in range(0, matrix.shape[1], ROWS_PER_BLOCK):
        x = matrix[:, first : first + ROWS_PER_BLOCK] * unit[:, None]
        apart = lengths[:, None] - 2 * (centres @ x)
        cluster = np.argmin(apart, axis=0)
        squared = apart[cluster, np.arange(x.shape[1])] + np.einsum("ij,ij->j", x, x)
        yield x, cluster, squared
