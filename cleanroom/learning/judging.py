"""How models are judged, and an owner's half of it: its rows scored by the model, and counted.

Rule: what a step opens: counts and summed losses over all owners, never a row's score.

Security: the histogram tells how many rows of each class have a score within each bin. A model is
the recipient's choice: one that is made to score a single person apart would tell that person's
class. So owners judge at most `max_models`, and a job names how many bins; what protects a person
beyond that is who may judge which models (policy), or noise.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.learning.checks import Turns, check_answer, check_flags, check_rows
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.preparing import halved
from cleanroom.learning.step import Block, Step, Sums
from cleanroom.learning.travelling import unpacked

Measure = Literal["binary", "number"]
BINARY, NUMBER = "evaluate.binary", "evaluate.number"
_LOG_ODDS = 16.0  # from minus to plus: scores beyond fall into the outermost bins
_LEAST = 1e-15  # of a probability, within a logarithm
_LOGARITHM = 35.0  # at most, then
_FAR = 9.0  # half ranges: a prediction further from the middle counts as so far


class Spec(Strict):
    """How a model is judged.

    Attributes:
        measure: what the target is: 0 or 1 beside a probability, or a number.
        bins: of the histogram of scores, even in log odds. Scores in one bin count as tied.
        threshold: from which probability on a row counts as positive in the confusion.
        calibration: how many groups of rows, by predicted probability.
        max_models: how many models owners judge in one session.
    """

    kind: Literal["evaluation"] = "evaluation"
    measure: Measure
    bins: Annotated[int, Field(ge=2, le=1 << 16)] = 4096
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    calibration: Annotated[int, Field(ge=2, le=100)] = 10
    max_models: Annotated[int, Field(ge=1, le=1000)] = 1


def blocks(measure: Measure, facts: Facts, bins: int) -> tuple[Block, ...]:
    """Return what a step opens."""
    most = float(facts.max_rows)
    rows = Block("rows", (), most)
    if measure == "number":
        errors = Block("errors", (2,), most * (_FAR + 1) ** 2)
        return rows, errors, Block("target", (2,), most)
    return (
        rows,
        Block("counts", (2, bins), most),
        Block("scores", (bins,), most),
        Block("confusion", (2, 2), most),
        Block("losses", (2,), most * _LOGARITHM),
    )


class EvaluationOwner:
    """An owner's side: models come, counts go."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        """Check the rows.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
            TrainingImpossible: if there is no target to compare with.
        """
        check_rows(facts, rows)
        if facts.target is None or rows.target is None:
            raise TrainingImpossible("an evaluation without a target")
        if spec.measure != "number":
            check_flags(facts.target, rows.target)
        self._spec, self._facts, self._rows = spec, facts, rows
        self._column, self._target = facts.target, rows.target
        self._turns = Turns({BINARY if spec.measure == "binary" else NUMBER: spec.max_models})

    def answer(self, step: Step) -> Sums:
        """Score all rows and count.

        Raises:
            StepRefused: if the step is another, or the model's scores aren't such a measure's.
            ModelMismatch, DataMismatch: if it is no model, or needs other columns.
        """
        self._turns.take(step)
        check_answer(step, blocks(self._spec.measure, self._facts, self._spec.bins))
        if set(step.numbers) != {"model"}:
            raise StepRefused(f"{step.name} without a model")
        score = unpacked(step.numbers["model"]).predict(self._rows.features)
        if score.shape != self._target.shape or np.isinf(score).any():
            raise StepRefused("a model whose scores aren't one number a row")
        judged = ~np.isnan(score)
        y, score = self._target[judged], score[judged]
        if self._spec.measure == "number":
            return _of_number(self._column, y, score)
        if np.any((score < 0) | (score > 1)):
            raise StepRefused("a model whose scores are no probabilities")
        return _of_binary(self._spec.bins, self._spec.threshold, y, score)


def bins_of(scores: Floats, bins: int) -> NDArray[np.intp]:
    """Return each probability's bin: even in log odds, the outermost without an end."""
    with np.errstate(divide="ignore"):
        odds = np.log(scores) - np.log1p(-scores)
    share = (np.clip(odds, -_LOG_ODDS, _LOG_ODDS) + _LOG_ODDS) / (2 * _LOG_ODDS)
    found: NDArray[np.intp] = np.minimum((share * bins).astype(np.intp), bins - 1)
    return found


def _of_binary(bins: int, threshold: float, y: Floats, score: Floats) -> Sums:
    where, positive = bins_of(score, bins), y == 1
    said = (score >= threshold).astype(np.intp)
    right = np.maximum(np.where(positive, score, 1 - score), _LEAST)
    confusion = np.bincount(2 * positive.astype(np.intp) + said, minlength=4)
    found: Mapping[str, Floats] = {
        "rows": np.array(float(len(y))),
        "counts": np.array(
            [np.bincount(where[positive == one], minlength=bins) for one in (False, True)], float
        ),
        "scores": np.bincount(where, score, minlength=bins).astype(float),
        "confusion": confusion.reshape(2, 2).astype(float),
        "losses": np.array([((score - y) ** 2).sum(), -np.log(right).sum()]),
    }
    return found


def _of_number(column: Column, y: Floats, score: Floats) -> Sums:
    told = halved(column, y)
    off = np.clip(halved(column, score), -_FAR, _FAR) - told
    return {
        "rows": np.array(float(len(y))),
        "errors": np.array([off @ off, np.abs(off).sum()]),
        "target": np.array([told.sum(), told @ told]),
    }
