"""Poisson regression: the logarithm of an expected count.

Rule: what tells this kind from the others; `glm` does the work.
"""

from typing import Literal

from cleanroom.learning import glm
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.likelihood import Poisson
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.path import Checkpoint, NewtonSpec
from cleanroom.learning.step import Owner, Training


class Spec(NewtonSpec):
    """A Poisson regression; the target is a count."""

    kind: Literal["poisson"] = "poisson"


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
        raise TrainingImpossible("a Poisson regression without a target")
    if target.kind != "number" or target.low < 0:
        raise TrainingImpossible(f"a Poisson regression of {target.name}, which may be below 0")
    return glm.Problem("poisson", Poisson(target.high), target, spec)
