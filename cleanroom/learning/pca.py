"""Principal components: the directions in which rows vary most, from one summed covariance.

Rule: the training, both sides, and the model. Opened besides means: the covariance of all columns.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.errors import ModelMismatch
from cleanroom.learning.checks import Turns, check_rows
from cleanroom.learning.describing import MALFORMED, finite
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.layout import Preparing
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, find, spread, used_columns
from cleanroom.learning.products import PRODUCTS, covariance, products, products_step
from cleanroom.learning.standing import OwnMatrix, Standing
from cleanroom.learning.step import Owner, Step, Sums, Training, finished


class Spec(Strict):
    """How many components, of columns in standard deviations unless `prepare` says otherwise."""

    kind: Literal["pca"] = "pca"
    components: Annotated[int, Field(ge=1, le=1000)] = 2
    prepare: Preparing = Preparing()


@dataclass(frozen=True)
class PcaModel:
    """Principal components.

    Attributes:
        loadings: (components, used) of length 1 each, the largest entry positive.
        variances: (components,) of the rows along each. total_variance: of all columns.
        rows: that they rest on.
    """

    preparation: Preparation
    loadings: Floats
    variances: Floats
    total_variance: float
    rows: int
    kind: str = "pca"

    @property
    def explained(self) -> Floats:
        """Return each component's share of the variance."""
        return self.variances / self.total_variance

    @property
    def figures(self) -> Mapping[str, float]:
        """Return the share of the variance that all components explain."""
        return {"explained": float(self.explained.sum())}

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return each row's place along the components, (n, components).

        Raises:
            DataMismatch: naming a feature that is absent or has a value that isn't declared.
        """
        z = self.preparation.standardised(self.preparation.raw(columns))
        found: Floats = ((self.loadings / self.preparation.units) @ z).T
        return found

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        return json.dumps(
            {
                "kind": self.kind,
                "preparation": self.preparation.to_dict(),
                "loadings": self.loadings.tolist(),
                "variances": self.variances.tolist(),
                "total_variance": self.total_variance,
                "rows": self.rows,
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "PcaModel":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            return cls._read(finite(text))
        except MALFORMED:
            raise ModelMismatch("not a model of principal components") from None

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> "PcaModel":
        preparation = Preparation.from_dict(given["preparation"])
        loadings, variances = (np.asarray(given[n], float) for n in ("loadings", "variances"))
        if given["kind"] != "pca" or loadings.shape != (len(variances), len(preparation.used)):
            raise ValueError("components of another shape than the features")
        if not np.isfinite(loadings).all() or not np.isfinite(variances).all():
            raise ValueError("numbers that are not finite")
        total, rows = float(given["total_variance"]), int(given["rows"])
        return cls(preparation, loadings, variances, total, rows)


def train(
    spec: Spec, facts: Facts, resume: Mapping[str, Floats] | None = None
) -> Training[PcaModel]:
    """Find the components of the pooled rows, up to sign.

    Raises:
        TrainingImpossible: if there are fewer columns that vary, or fewer rows.
    """
    if resume is None:
        found = yield from find(facts, spec.prepare)
        standing = Standing(found.preparation(spec.prepare), found.rows)
    else:
        standing = Standing.resumed(facts, spec.prepare, resume)
    asked, used = products_step(standing), len(standing.preparation.used)
    if spec.components > min(used, standing.rows - 1):
        what = f"{spec.components} components of {used} columns in {standing.rows:.0f} rows"
        raise TrainingImpossible(what, remedy="Ask for fewer; a constant column doesn't count.")
    sums = yield Step(asked.name, asked.answer, asked.numbers, checkpoint=standing.numbers())
    matrix, rows = covariance(standing, sums)
    values, vectors = np.linalg.eigh(matrix)
    loadings = vectors[:, ::-1].T[: spec.components]
    largest = np.argmax(np.abs(loadings), axis=1)
    loadings = loadings * np.sign(loadings[np.arange(len(loadings)), largest])[:, None]
    variances = np.maximum(values[::-1][: spec.components], 0.0)
    total = float(np.trace(matrix))
    model = PcaModel(standing.preparation, loadings, variances, total, rows)
    yield finished(1, model.figures)
    return model


class PcaOwner:
    """An owner's side: counts, variances, then one sum of products."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        """Check the rows.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
        """
        check_rows(facts, rows)
        self._counted, self._columns = Counted(facts), used_columns(facts, spec.prepare, rows)
        self._own = OwnMatrix(facts, spec.prepare, self._columns)
        self._turns = Turns({COUNT: 1, SPREAD: 1, PRODUCTS: 1})

    def answer(self, step: Step) -> Sums:
        self._turns.take(step)
        if step.name == PRODUCTS:
            return products(self._own, step)
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, self._columns, step)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side."""
    return PcaOwner(spec, facts, rows)
