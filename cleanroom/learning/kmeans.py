"""k-means clusters: Lloyd's rounds on sums over all owners' rows.

Rule: the training at the recipient and at an owner. It starts from points that follow from the
covariance alone, and takes the same rounds as on the pooled rows.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy import special

from cleanroom.contract.fields import Strict
from cleanroom.learning.checks import Turns, check_rows
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.kmeans_model import KMeansModel
from cleanroom.learning.kmeans_step import ASSIGN, assign_step, assigned
from cleanroom.learning.layout import Preparing
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, find, spread, used_columns
from cleanroom.learning.products import PRODUCTS, covariance, products, products_step
from cleanroom.learning.standing import OwnMatrix, Standing
from cleanroom.learning.step import Owner, Step, Sums, Training, finished


class Spec(Strict):
    """k-means.

    Attributes:
        start: which of many starts; another one may end in better or worse clusters.
        max_rounds: how many rounds owners answer.
        tolerance: ends with a round in which no centre moves further.
        least: an owner with fewer rows in a cluster leaves them out of that cluster's sums.
    """

    kind: Literal["kmeans"] = "kmeans"
    clusters: Annotated[int, Field(ge=2, le=1000)] = 3
    start: Annotated[int, Field(ge=0, le=1000)] = 0
    max_rounds: Annotated[int, Field(ge=1, le=1000)] = 100
    tolerance: Annotated[float, Field(gt=0, le=1)] = 1e-6
    least: Annotated[int, Field(ge=1, lt=2**53)] = 5
    prepare: Preparing = Preparing()


def first_centres(spec: Spec, spread_: Floats) -> Floats:
    """Return where clusters begin, (clusters, p): quasi-random points of the rows' covariance.

    Args:
        spread_: the covariance (p, p).
    """
    p = len(spread_)
    golden = 2.0
    for _ in range(64):
        golden = (1 + golden) ** (1 / (p + 1))
    steps = golden ** -np.arange(1.0, p + 1)
    places = 1 + spec.start * spec.clusters + np.arange(spec.clusters)
    normal = special.ndtri(np.clip((0.5 + np.outer(places, steps)) % 1, 1e-6, 1 - 1e-6))
    values, vectors = np.linalg.eigh(spread_)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    found: Floats = normal @ root
    return found


def train(
    spec: Spec, facts: Facts, resume: Mapping[str, Floats] | None = None
) -> Training[KMeansModel]:
    """Find clusters.

    Raises:
        TrainingImpossible: if no column varies, or there are fewer rows than clusters.
    """
    if resume is None:
        standing, centres = yield from _begin(spec, facts)
        first = 1
    else:
        standing = Standing.resumed(facts, spec.prepare, resume)
        centres, first = resume["clusters"], round(float(resume["round"]))
    report: dict[str, float] = {}
    for at in range(first, spec.max_rounds + 1):
        asked = assign_step(standing, centres)
        state = {**asked.numbers, "round": np.array(float(at))}
        sums = yield Step(asked.name, asked.answer, asked.numbers, {}, at, report, state)
        counts = np.round(sums["counts"])
        inertia = float(sums["distances"].sum())
        moved = _means(sums["sums"], counts, sums["distances"], centres)
        far = float(np.abs(moved - centres).max())
        report = {"inertia": inertia, "moved": far}
        centres = moved
        if far <= spec.tolerance:
            break
    yield finished(at, report)
    return KMeansModel(standing.preparation, centres, counts, inertia, at)


def _begin(spec: Spec, facts: Facts) -> Training[tuple[Standing, Floats]]:
    found = yield from find(facts, spec.prepare)
    standing = Standing(found.preparation(spec.prepare), found.rows)
    if not len(standing.preparation.used):
        raise TrainingImpossible("clusters of rows that are all the same")
    if found.rows < spec.clusters:
        raise TrainingImpossible(f"{spec.clusters} clusters of {found.rows} rows")
    matrix, _ = covariance(standing, (yield products_step(standing)))
    return standing, first_centres(spec, matrix)


def _means(sums: Floats, counts: Floats, distances: Floats, before: Floats) -> Floats:
    """Return new centres; one without a row goes next to the cluster that is spread most."""
    some = counts > 0
    found = before.copy()
    found[some] = sums[some] / counts[some, None]
    widest = int(np.argmax(distances))
    aside = np.sqrt(distances[widest] / max(counts[widest], 1.0) / before.shape[1]) / 2
    for empty in np.flatnonzero(~some):
        sign = np.where(np.arange(before.shape[1]) % (empty + 2) == 0, 1.0, -1.0)
        found[empty] = found[widest] + aside * sign
    return found


class KMeansOwner:
    """An owner's side: counts, variances, products, then rounds."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        """Check the rows.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
        """
        check_rows(facts, rows)
        self._spec = spec
        self._counted, self._columns = Counted(facts), used_columns(facts, spec.prepare, rows)
        self._own = OwnMatrix(facts, spec.prepare, self._columns)
        self._turns = Turns({COUNT: 1, SPREAD: 1, PRODUCTS: 1, ASSIGN: spec.max_rounds})

    def answer(self, step: Step) -> Sums:
        self._turns.take(step)
        if step.name == ASSIGN:
            return assigned(self._own, self._spec.least, self._spec.clusters, step)
        if step.name == PRODUCTS:
            return products(self._own, step)
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, self._columns, step)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side."""
    return KMeansOwner(spec, facts, rows)
