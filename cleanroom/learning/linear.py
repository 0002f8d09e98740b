"""Linear regression: least squares on the pooled rows' sums of products.

Rule: what tells this kind from the others; `glm` does the work.
"""

from typing import Literal

from cleanroom.learning import glm
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.likelihood import Gaussian
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.path import Checkpoint, NewtonSpec
from cleanroom.learning.step import Owner, Training


class Spec(NewtonSpec):
    """A linear regression; the target is a number."""

    kind: Literal["linear"] = "linear"


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
        raise TrainingImpossible("a linear regression without a target")
    if target.kind != "number":
        raise TrainingImpossible(f"a linear regression of {target.name}, which is no number")
    return glm.Problem("linear", Gaussian(), target, spec)
