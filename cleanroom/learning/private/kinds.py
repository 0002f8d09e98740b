"""The three private regressions by name: specs, and what tells the kinds from each other.

Rule: a line or two for each kind; `regression` does the work.
"""

from fractions import Fraction
from typing import Literal

from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Rows
from cleanroom.learning.likelihood import Bernoulli, Gaussian, Likelihood, Poisson
from cleanroom.learning.private import regression
from cleanroom.learning.private.model import PrivateModel
from cleanroom.learning.private.regression import Checkpoint, PrivateSpec, Problem
from cleanroom.learning.private.spec import total_rho
from cleanroom.learning.step import Owner, Training


class LinearSpec(PrivateSpec):
    """A linear regression; the target is a number. One step, no gradients."""

    kind: Literal["private_linear"] = "private_linear"


class LogisticSpec(PrivateSpec):
    """A logistic regression; the target is 0 or 1."""

    kind: Literal["private_logistic"] = "private_logistic"


class PoissonSpec(PrivateSpec):
    """A Poisson regression; the target is a count."""

    kind: Literal["private_poisson"] = "private_poisson"


Spec = LinearSpec | LogisticSpec | PoissonSpec


def train(spec: Spec, facts: Facts, resume: Checkpoint | None = None) -> Training[PrivateModel]:
    """Fit a model whose every sum is private.

    Raises:
        TrainingImpossible: if the target doesn't suit, or no noise can be drawn for the spec.
    """
    return regression.train(problem(spec, facts), facts, resume)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side.

    Raises:
        DataMismatch: naming the column that isn't what the facts say.
    """
    return regression.owner(problem(spec, facts), facts, rows)


def cost(spec: Spec, facts: Facts) -> Fraction:
    """Return what a whole training costs a person, in rho.

    Raises:
        TrainingImpossible: if the target doesn't suit, or no noise can be drawn for the spec.
    """
    return total_rho(regression.questions(problem(spec, facts), facts))


def problem(spec: Spec, facts: Facts) -> Problem:
    """Return what a training solves.

    Raises:
        TrainingImpossible: naming a target that the kind can't learn.
    """
    target = facts.target
    if target is None:
        raise TrainingImpossible("a regression without a target")
    return Problem(spec.kind, _likelihood(spec, target), target, spec)


def _likelihood(spec: Spec, target: Column) -> Likelihood:
    if spec.kind == "private_logistic":
        values = 2 if target.kind == "number" and (target.low, target.high) == (0, 1) else 0
        if (len(target.values) or values) != 2:
            raise TrainingImpossible(f"a logistic regression of {target.name}, which isn't 0 or 1")
        return Bernoulli()
    if target.kind != "number" or (spec.kind == "private_poisson" and target.low < 0):
        raise TrainingImpossible(f"a regression of {target.name}, which is no such number")
    return Poisson(target.high) if spec.kind == "private_poisson" else Gaussian()
