"""Linear, logistic and Poisson regression: Newton's method on sums over all owners' rows.

Rule: the training that all three share, at the recipient and at an owner. Every step's sums are
those of the pooled rows, so the coefficients are those of the pooled fit.
"""

from dataclasses import dataclass

import numpy as np

from cleanroom.learning.checks import Turns, check_flags, check_rows
from cleanroom.learning.curvature import square
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.likelihood import Likelihood
from cleanroom.learning.linear_model import Kind, LinearModel
from cleanroom.learning.newton import NEWTON, Frame, Newton
from cleanroom.learning.path import Checkpoint, NewtonSpec, Path
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, find, spread, used_columns
from cleanroom.learning.step import Step, Sums, Training, finished


@dataclass(frozen=True)
class Problem:
    """What a training solves."""

    kind: Kind
    likelihood: Likelihood
    target: Column
    spec: NewtonSpec


def train(
    problem: Problem, facts: Facts, resume: Checkpoint | None = None
) -> Training[LinearModel]:
    """Fit a model.

    Raises:
        TrainingImpossible: naming what keeps these rows from determining it, or if it takes
            more rounds than the job allows.
    """
    begun = (
        (yield from _begin(problem, facts)) if resume is None else _resumed(facts, resume, problem)
    )
    frame, path = begun
    report: dict[str, float] = {}
    while not path.is_found:
        path.check_rounds()
        step = frame.step(problem.likelihood, path.beta)
        state = {**frame.numbers(), **path.state()}
        summed = yield Step(step.name, step.answer, step.numbers, {}, path.round, report, state)
        loss = float(summed["loss"])
        if round(float(summed["cut"])):
            path.halve()
            continue
        curvature = square(summed["curvature"], len(path.beta))
        path.take(loss, summed["gradient"], curvature, float(curvature[0, 0]))
        rows = round(float(summed["rows"]))
        told = 1 - loss / path.null_loss if path.null_loss else 0.0
        report = {"loss": loss / max(rows, 1), "explained": told, "moved": path.moved}
    yield finished(path.round - 1, report)
    return _model(problem, frame, path, 2 * loss, rows)


class GlmOwner:
    """An owner's side: counts and variances first, then Newton steps, and nothing else."""

    def __init__(self, problem: Problem, facts: Facts, rows: Rows) -> None:
        """Check the rows, and leave out those with missing values if the job says so.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
        """
        check_rows(facts, rows)
        self._counted = Counted(facts)
        self._turns = Turns({COUNT: 1, SPREAD: 1, NEWTON: problem.spec.max_rounds})
        self._newton = Newton(facts, problem.spec.prepare, problem.likelihood)
        if problem.kind == "logistic":
            check_flags(problem.target, rows.target)
        self._columns = used_columns(facts, problem.spec.prepare, rows)
        self._target = problem.target.name

    def answer(self, step: Step) -> Sums:
        self._turns.take(step)
        if step.name == NEWTON:
            return self._newton.answer(step, self._columns, self._columns[self._target])
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, self._columns, step)


def _begin(problem: Problem, facts: Facts) -> Training[tuple[Frame, Path]]:
    found = yield from find(facts, problem.spec.prepare)
    preparation = found.preparation(problem.spec.prepare)
    names, target = preparation.names, problem.target
    if len(names) >= found.rows and not problem.spec.l2:
        what = f"{1 + len(names)} coefficients from {found.rows} rows"
        raise TrainingImpossible(what, remedy="Name fewer features, or give a penalty l2 above 0.")
    mean, scale = found.mean(target), found.scale(target)
    if not scale:
        raise TrainingImpossible(f"{target.name}: the same in all rows")
    beta = np.zeros(1 + len(names))
    if problem.kind == "linear":
        frame = Frame(preparation, found.rows, mean, scale)
    else:
        frame = Frame(preparation, found.rows, 0.0, 1.0)
        beta[0] = problem.likelihood.start(mean)
    return frame, _path(problem, preparation, beta)


def _resumed(facts: Facts, resume: Checkpoint, problem: Problem) -> tuple[Frame, Path]:
    ends = (resume[name] for name in ("centres", "scales", "fills"))
    preparation = Preparation(facts.features, problem.spec.prepare, *ends)
    path = _path(problem, preparation, resume["beta"])
    path.restore(resume)
    return Frame(preparation, float(resume["rows"]), *map(float, resume["target"])), path


def _path(problem: Problem, preparation: Preparation, beta: Floats) -> Path:
    return Path(problem.spec, preparation, beta, steepest=problem.likelihood.steepest)


def _model(problem: Problem, frame: Frame, path: Path, deviance: float, rows: int) -> LinearModel:
    covariance, square = path.covariance, frame.scale**2
    if problem.kind == "linear":
        freedom = rows - len(path.beta)
        covariance = covariance * (deviance / freedom if freedom > 0 else np.nan)
    if problem.spec.l2:
        covariance = np.full_like(covariance, np.nan)
    return LinearModel(
        problem.kind,
        frame.preparation,
        path.beta,
        covariance,
        frame.centre,
        frame.scale,
        deviance * square,
        2 * path.null_loss * square,
        rows,
        path.round - 1,
    )
