"""Logistic regression: the probability of the second of two values.

Rule: what tells this kind from the others; `glm` does the work.
"""

from typing import Literal

from cleanroom.learning import glm
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.likelihood import Bernoulli
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.path import Checkpoint, NewtonSpec
from cleanroom.learning.step import Owner, Training


class Spec(NewtonSpec):
    """A logistic regression; the target is 0 or 1."""

    kind: Literal["logistic"] = "logistic"


def train(spec: Spec, facts: Facts, resume: Checkpoint | None = None) -> Training[LinearModel]:
    """Fit the model that the pooled rows would give.

    Raises:
        TrainingImpossible: naming what keeps these rows from determining it.
    """
    return glm.train(_problem(spec, facts), facts, resume)


def owner(spec: Spec, facts: Facts, rows: Rows) -> Owner:
    """Return an owner's side.

    Raises:
        DataMismatch: naming the column that isn't what the facts say.
    """
    return glm.GlmOwner(_problem(spec, facts), facts, rows)


def _problem(spec: Spec, facts: Facts) -> glm.Problem:
    target = facts.target
    if target is None:
        raise TrainingImpossible("a logistic regression without a target")
    values = 2 if target.kind == "number" and (target.low, target.high) == (0, 1) else 0
    if (len(target.values) or values) != 2:
        raise TrainingImpossible(f"a logistic regression of {target.name}, which isn't 0 or 1")
    return glm.Problem("logistic", Bernoulli(), target, spec)
