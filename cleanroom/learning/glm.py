"""Linear, logistic and Poisson regression: Newton's method on sums over all owners' rows.

Rule: the training that all three share, at the recipient and at an owner. Every step's sums are
those of the pooled rows, so the coefficients are those of the pooled fit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.errors import DataMismatch
from cleanroom.learning.checks import Turns, check_rows
from cleanroom.learning.curvature import square
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.layout import Preparing
from cleanroom.learning.likelihood import Likelihood
from cleanroom.learning.linear_model import Kind, LinearModel
from cleanroom.learning.newton import NEWTON, STEEPEST, Frame, Newton
from cleanroom.learning.preparation import Preparation, complete
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, find, spread
from cleanroom.learning.solve import diverging, inverse
from cleanroom.learning.step import Step, Sums, Training

_LATE = 10  # rounds: by then a fit that exists is all but found
_ROUNDING = 1e-9  # of the loss: a rise below is rounding
Checkpoint: TypeAlias = Mapping[str, Floats]


class GlmSpec(Strict):
    """What the three have in common.

    Attributes:
        l2: a penalty of l2 / 2 times the squared coefficients is added to the summed loss, where
            scikit-learn's LogisticRegression has 1 / C. The intercept is free.
        max_rounds: how many Newton steps owners answer.
        tolerance: ends with a step that moves linear predictors by less, in the root mean square.
    """

    l2: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] = 0.0
    max_rounds: Annotated[int, Field(ge=2, le=200)] = 30
    tolerance: Annotated[float, Field(gt=0, le=1e-2)] = 1e-7
    prepare: Preparing = Preparing()


@dataclass(frozen=True)
class Problem:
    """What a training solves."""

    kind: Kind
    likelihood: Likelihood
    target: Column
    spec: GlmSpec


@dataclass
class _At:
    """Where Newton's method stands.

    Attributes:
        beta: at which the next sums are taken.
        best: of the last sums that were accepted, and their loss with penalty.
        null_deviance: of the model without features, where the first sums are taken.
    """

    frame: Frame
    beta: Floats
    best: Floats
    loss: float = np.inf
    null_deviance: float = 0.0
    round: int = 1

    def checkpoint(self) -> Checkpoint:
        ends = [self.loss, self.null_deviance, float(self.round)]
        return {
            **self.frame.numbers(),
            "coefficients": self.beta,
            "best": self.best,
            "state": np.array(ends),
        }


def train(
    problem: Problem, facts: Facts, resume: Checkpoint | None = None
) -> Training[LinearModel]:
    """Fit a model.

    Raises:
        TrainingImpossible: naming what keeps these rows from determining it, or if it takes
            more rounds than the job allows.
    """
    spec, likelihood = problem.spec, problem.likelihood
    at = (yield from _begin(problem, facts)) if resume is None else _resumed(problem, facts, resume)
    penalty = spec.l2 * np.append(0.0, at.frame.preparation.units) ** 2
    report: dict[str, float] = {}
    while at.round <= spec.max_rounds:
        step = at.frame.step(likelihood, at.beta)
        summed = yield Step(
            step.name, step.answer, step.numbers, {}, at.round, report, at.checkpoint()
        )
        at.round += 1
        loss = float(summed["loss"]) + float(penalty @ at.beta**2) / 2
        report = {"loss": loss / at.frame.rows}
        if round(float(summed["cut"])) or loss > at.loss * (1 + _ROUNDING):
            at.beta = (at.beta + at.best) / 2
            continue
        if np.isinf(at.loss):
            at.null_deviance = 2 * loss
        at.loss, at.best = loss, at.beta
        curvature = square(summed["curvature"], len(at.beta)) + np.diag(penalty)
        inverted = inverse(curvature, ("intercept", *at.frame.preparation.names))
        slope = summed["gradient"] - penalty * at.beta
        move = inverted @ slope
        at.beta = at.beta + move
        report["moved"] = math.sqrt(max(float(slope @ move / curvature[0, 0]), 0.0))
        if report["moved"] <= spec.tolerance:
            return _model(problem, at, inverted, 2 * float(summed["loss"]))
        _check_path(at, move)
    raise TrainingImpossible(
        f"a fit that isn't found in {spec.max_rounds} rounds",
        remedy="Allow more max_rounds, or give a penalty l2 above 0.",
    )


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
        self._features, self._target = _kept(problem, facts, rows)
        self._name = problem.target.name

    def answer(self, step: Step) -> Sums:
        self._turns.take(step)
        if step.name == NEWTON:
            return self._newton.answer(step, self._features, self._target)
        columns = {**self._features, self._name: self._target}
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, columns, step)


def _kept(problem: Problem, facts: Facts, rows: Rows) -> tuple[dict[str, Floats], Floats]:
    target = rows.target
    if target is None:
        raise DataMismatch(f"{problem.target.name}: absent")
    if problem.kind == "logistic" and np.any((target != 0) & (target != 1)):
        raise DataMismatch(f"{problem.target.name}: a value other than 0 and 1")
    if problem.spec.prepare.missing != "drop":
        return dict(rows.features), target
    kept = complete(facts.features, problem.spec.prepare, rows.features)
    return {name: values[kept] for name, values in rows.features.items()}, target[kept]


def _begin(problem: Problem, facts: Facts) -> Training[_At]:
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
        return _At(Frame(preparation, found.rows, mean, scale), beta, beta)
    beta[0] = problem.likelihood.start(mean)
    return _At(Frame(preparation, found.rows, 0.0, 1.0), beta, beta)


def _resumed(problem: Problem, facts: Facts, resume: Checkpoint) -> _At:
    names = "centres", "scales", "fills"
    preparation = Preparation(
        facts.features, problem.spec.prepare, *(resume[name] for name in names)
    )
    frame = Frame(preparation, float(resume["rows"]), *map(float, resume["target"]))
    loss, null_deviance, at = map(float, resume["state"])
    return _At(frame, resume["coefficients"], resume["best"], loss, null_deviance, round(at))


def _check_path(at: _At, move: Floats) -> None:
    preparation = at.frame.preparation
    spans = _spans(preparation)
    if at.round > _LATE or np.abs(at.beta[1:]).max(initial=0.0) > STEEPEST:
        fault = diverging(move, spans, preparation.names)
        if fault is not None:
            raise fault


def _spans(preparation: Preparation) -> Floats:
    """Return each used column's range, in standard deviations."""
    places = [preparation.places[at] for at in preparation.used]
    columns = [preparation.features[place.feature] for place in places]
    ranges = [
        column.high - column.low if place.is_number else 1.0
        for place, column in zip(places, columns, strict=True)
    ]
    return np.array(ranges) / preparation.scales[preparation.used]


def _model(problem: Problem, at: _At, inverted: Floats, deviance: float) -> LinearModel:
    frame, covariance = at.frame, inverted
    if problem.kind == "linear":
        freedom = frame.rows - len(at.beta)
        covariance = inverted * (deviance / freedom if freedom > 0 else np.nan)
    if problem.spec.l2:
        covariance = np.full_like(inverted, np.nan)
    square = frame.scale**2
    return LinearModel(
        problem.kind,
        frame.preparation,
        at.beta,
        covariance,
        frame.centre,
        frame.scale,
        deviance * square,
        at.null_deviance * square,
        round(frame.rows),
        at.round - 1,
    )
