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
from cleanroom.learning.checks import Turns, check_answer, check_flags, check_rows, numbers
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.preparing import halved
from cleanroom.learning.step import Block, Step, Sums
from cleanroom.learning.times import Cells, Grid, leaving
from cleanroom.learning.travelling import scored, unpacked

Measure = Literal["binary", "number", "survival"]
BINARY, NUMBER, SURVIVAL = "evaluate.binary", "evaluate.number", "evaluate.survival"
NAMES: Mapping[Measure, str] = {"binary": BINARY, "number": NUMBER, "survival": SURVIVAL}
EVENT_TIMES = "evaluate.times"
_MOST_COUNTS = 1 << 20
_REACH = 16.0  # of logarithms, from minus to plus: scores beyond fall into the outermost bins
_LEAST = 1e-15  # of a probability, within a logarithm
_LOGARITHM = 35.0  # at most, then
_FAR = 9.0  # half ranges: a prediction further from the middle counts as so far


class Spec(Strict):
    """How a model is judged.

    Attributes:
        measure: what the target is: 0 or 1 beside a probability, a number, or an event at a time.
        bins: of the histogram of scores, even in log odds or log hazards. Scores in one bin count
            as tied. Fewer for survival where events happen at many times.
        interval: of the grid that times are put on, for survival.
        threshold: from which probability on a row counts as positive in the confusion.
        calibration: how many groups of rows, by predicted probability.
        max_models: how many models owners judge in one session.
    """

    kind: Literal["evaluation"] = "evaluation"
    measure: Measure
    bins: Annotated[int, Field(ge=2, le=1 << 16)] = 4096
    interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    calibration: Annotated[int, Field(ge=2, le=100)] = 10
    max_models: Annotated[int, Field(ge=1, le=1000)] = 1


def survival_blocks(facts: Facts, cells: Cells, bins: int) -> tuple[Block, ...]:
    """Return what a step opens: rows by cell, risk, and whether an event ended them."""
    count = len(cells.places)
    shape = 2, count, min(bins, max(_MOST_COUNTS // (2 * count), 2))
    most = float(facts.max_rows)
    return Block("rows", (), most), Block("leaving", shape, most)


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
        self._grid = grid_of(spec, facts) if spec.measure == "survival" else None
        most = {EVENT_TIMES: spec.max_models} if self._grid is not None else {}
        self._turns = Turns({**most, NAMES[spec.measure]: spec.max_models}, in_order=False)

    def answer(self, step: Step) -> Sums:
        """Score all rows and count.

        Raises:
            StepRefused: if the step is another, or carries no model.
        """
        self._turns.take(step)
        if self._grid is not None:
            return self._of_survival(self._grid, step)
        check_answer(step, blocks(self._spec.measure, self._facts, self._spec.bins))
        if set(step.numbers) != {"model"}:
            raise StepRefused(f"{step.name} without a model")
        model, is_number = unpacked(step.numbers["model"]), self._spec.measure == "number"
        ends = () if is_number else (0.0, 1.0)
        score = scored(model, self._rows.features, *ends)
        judged = ~np.isnan(score)
        y, score = self._target[judged], score[judged]
        if is_number:
            return _of_number(self._column, y, score)
        return _of_binary(self._spec.bins, self._spec.threshold, y, score)

    def _of_survival(self, grid: Grid, step: Step) -> Sums:
        times = self._rows.time
        if times is None:
            raise TrainingImpossible("an evaluation of survival without a time")
        if step.name == EVENT_TIMES:
            return leaving(grid, self._facts, times, self._target, step)
        nothing = np.zeros(0)
        count, size = (step.numbers.get(name, nothing).size for name in ("places", "model"))
        shapes = {name: (count,) for name in ("places", "at", "events")}
        places, at, events, _ = numbers(step, **shapes, model=(size,))
        cells = Cells.read(grid, places, at, events)
        answer = survival_blocks(self._facts, cells, self._spec.bins)
        check_answer(step, answer)
        least = np.finfo(np.float64).tiny
        risk = scored(unpacked(step.numbers["model"]), self._rows.features, least)
        judged = ~np.isnan(risk)
        cell = cells.of(grid.places(times))
        counted = judged & (cell >= 0)
        where = (
            self._target[counted].astype(np.intp),
            cell[counted],
            _even(np.log(risk[counted]), answer[1].shape[2]),
        )
        found = np.zeros(answer[1].shape)
        np.add.at(found, where, 1.0)
        return {"rows": np.array(float(np.count_nonzero(judged))), "leaving": found}


def grid_of(spec: Spec, facts: Facts) -> Grid:
    """Return the grid of times that events are counted on.

    Raises:
        TrainingImpossible: if there is no time.
    """
    if facts.time is None:
        raise TrainingImpossible("an evaluation of survival without a time")
    return Grid(facts.time, spec.interval)


def bins_of(scores: Floats, bins: int) -> NDArray[np.intp]:
    """Return each probability's bin: even in log odds, the outermost without an end."""
    with np.errstate(divide="ignore"):
        odds = np.log(scores) - np.log1p(-scores)
    return _even(odds, bins)


def _even(logarithms: Floats, bins: int) -> NDArray[np.intp]:
    share = (np.clip(logarithms, -_REACH, _REACH) + _REACH) / (2 * _REACH)
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
