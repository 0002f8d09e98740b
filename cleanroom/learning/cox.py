"""Cox regression: how features multiply the hazard of an event, with Efron's ties.

Rule: the training at the recipient and at an owner. Every step's sums are those of the pooled
rows, with times on the grid, so the coefficients are those of the pooled fit.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cleanroom.learning.checks import Turns, check_flags, check_rows
from cleanroom.learning.cox_model import CoxModel
from cleanroom.learning.cox_step import MOST_LIMIT, RISKS, RiskFrame, Risks
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Rows
from cleanroom.learning.likelihood import STEEPEST
from cleanroom.learning.path import Checkpoint, NewtonSpec, Path
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, find, spread, used_columns
from cleanroom.learning.risk import Partial, partial
from cleanroom.learning.step import Owner, Step, Sums, Training, finished
from cleanroom.learning.times import TIMES, Cells, Grid, find_cells, leaving

_LIMIT = 8.0  # of linear predictors at first: raised where a row's lies beyond


class Spec(NewtonSpec):
    """A Cox regression; the target is 1 where the event happened, else 0 (censored).

    Attributes:
        interval: of the grid that times are put on, in the time column's unit.
        least: times with an event are put together until so many rows leave between one and the
            next; their events count as tied. With 1 the fit is exact, and a row that leaves alone
            is told by the sums.
    """

    kind: Literal["cox"] = "cox"
    interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    least: Annotated[int, Field(ge=1, lt=2**53)] = 1


def train(spec: Spec, facts: Facts, resume: Checkpoint | None = None) -> Training[CoxModel]:
    """Fit the model that the pooled rows would give.

    Raises:
        TrainingImpossible: naming what keeps these rows from determining it.
    """
    event, grid = _event(facts), _grid(spec, facts)
    if resume is None:
        frame, path = yield from _begin(spec, facts, grid, event)
    else:
        frame, path = _resumed(spec, facts, resume)
    limit, report = _LIMIT, dict[str, float]()
    while not path.is_found:
        path.check_rounds()
        step, state = frame.step(path.beta, limit), {**frame.numbers(), **path.state()}
        sums = yield Step(step.name, step.answer, step.numbers, {}, path.round, report, state)
        if round(float(sums["cut"])):
            limit = min(limit + _LIMIT, MOST_LIMIT)
            path.stay() if limit < MOST_LIMIT else path.halve()
            continue
        found = _partial(frame, path, sums)
        path.take(found.loss, found.gradient, found.curvature, float(found.events))
        report = {"loss": found.loss / frame.rows, "moved": path.moved}
        rows = round(float(sums["rows"]))
    yield finished(path.round - 1, report)
    return _model(spec, grid, frame, path, found, rows)


class CoxOwner:
    """An owner's side: counts and variances, the times of events, then sums of hazards."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        """Check the rows, and leave out those with missing values if the job says so.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
        """
        event, self._grid = _event(facts), _grid(spec, facts)
        check_rows(facts, rows)
        check_flags(event, rows.target)
        self._facts, self._counted = facts, Counted(facts)
        self._columns = used_columns(facts, spec.prepare, rows)
        self._times, self._events = self._columns[self._grid.time.name], self._columns[event.name]
        self._risks = Risks(facts, spec.prepare, self._grid, spec.least)
        self._turns = Turns({COUNT: 1, SPREAD: 1, TIMES: 1, RISKS: spec.max_rounds})

    def answer(self, step: Step) -> Sums:
        self._turns.take(step)
        if step.name == RISKS:
            return self._risks.answer(step, self._columns, self._times, self._events)
        if step.name == TIMES:
            return leaving(self._grid, self._facts, self._times, self._events, step)
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, self._columns, step)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side."""
    return CoxOwner(spec, facts, rows)


def _event(facts: Facts) -> Column:
    target = facts.target
    if target is None or (target.kind == "number" and (target.low, target.high) != (0, 1)):
        raise TrainingImpossible("a Cox regression whose target isn't 0 or 1")
    if target.kind == "category" and len(target.values) != 2:
        raise TrainingImpossible("a Cox regression whose target isn't 0 or 1")
    return target


def _grid(spec: Spec, facts: Facts) -> Grid:
    if facts.time is None or facts.time.kind != "number":
        remedy = "Name its column: time = '...' under [job]."
        raise TrainingImpossible("a Cox regression without a time", remedy=remedy)
    return Grid(facts.time, spec.interval)


def _begin(spec: Spec, facts: Facts, grid: Grid, event: Column) -> Training[tuple[RiskFrame, Path]]:
    found = yield from find(facts, spec.prepare)
    preparation = found.preparation(spec.prepare)
    used = len(preparation.used)
    if not used:
        raise TrainingImpossible("a Cox regression on columns that are the same in all rows")
    if used >= found.rows and not spec.l2:
        what = f"{used} coefficients from {found.rows} rows"
        raise TrainingImpossible(what, remedy="Name fewer features, or give a penalty l2 above 0.")
    cells = yield from find_cells(grid, facts, event, least=spec.least)
    return RiskFrame(preparation, found.rows, cells), _path(spec, preparation)


def _resumed(spec: Spec, facts: Facts, resume: Checkpoint) -> tuple[RiskFrame, Path]:
    ends = (resume[name] for name in ("centres", "scales", "fills"))
    preparation = Preparation(facts.features, spec.prepare, *ends)
    path = _path(spec, preparation)
    path.restore(resume)
    cells = Cells(resume["places"], resume["at"], resume["events"])
    return RiskFrame(preparation, float(resume["rows"]), cells), path


def _path(spec: Spec, preparation: Preparation) -> Path:
    return Path(spec, preparation, np.zeros(len(preparation.used)), steepest=STEEPEST)


def _partial(frame: RiskFrame, path: Path, sums: Sums) -> Partial:
    units, tied = frame.units(), frame.tied
    apart = sums["tied"] * units[tied] if len(tied) else np.zeros((0, units.shape[1]))
    events, totals = sums["events"], sums["totals"]
    return partial(frame.cells, events, totals, path.beta, sums["risks"] * units, apart)


def _model(
    spec: Spec, grid: Grid, frame: RiskFrame, path: Path, found: Partial, rows: int
) -> CoxModel:
    return CoxModel(
        frame.preparation,
        path.beta,
        np.full_like(path.covariance, np.nan) if spec.l2 else path.covariance,
        grid.at(frame.cells.places),
        found.hazards,
        -found.loss,
        -path.null_loss,
        rows,
        found.events,
        path.round - 1,
    )
