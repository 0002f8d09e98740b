"""A training that ends with a test: the model judged on persons that were held out of it.

Rule: which measure suits which model; the training and the judging are done elsewhere.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel

from cleanroom.errors import UnsupportedQuery
from cleanroom.learning import membership
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.evaluation import Evaluation, evaluate
from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.families import FAMILIES, Model
from cleanroom.learning.judging import EvaluationOwner, Measure, Spec
from cleanroom.learning.membership import Attacked
from cleanroom.learning.step import Closing, Owner, Step, Sums, Training

M = TypeVar("M", bound=Model)
_HELD_OUT = "held_out"  # an option of steps


@dataclass(frozen=True, slots=True)
class Tested(Generic[M]):
    """What a training and its tests gave.

    Attributes:
        evaluation: on rows held out; None if there are none.
        attacked: how well an attacker tells who trained the model; None if nobody asked.
    """

    model: M
    evaluation: Evaluation | None
    attacked: Attacked | None = None


def measure_of(spec: BaseModel, facts: Facts) -> Measure:
    """Return what the model of a job can be measured by.

    Raises:
        UnsupportedQuery: if by nothing.
    """
    told = {getattr(spec, "loss", None), getattr(spec, "kind", None)}
    if facts.target is None or told & {"softmax", "flower"}:
        what = "rows held out for a model whose predictions have nothing to be compared with"
        raise UnsupportedQuery(what, remedy="Say holdout = 0.")
    if facts.time is not None:
        return "survival"
    return "binary" if told & {"logistic", "private_logistic"} else "number"


def judged_by(spec: BaseModel, facts: Facts) -> Spec:
    """Return how the model of a job is judged: hazards at the times that they were fitted at.

    Raises:
        UnsupportedQuery: if by nothing.
    """
    interval = float(getattr(spec, "interval", 1.0))
    return Spec(measure=measure_of(spec, facts), interval=interval)


def attacked_by(spec: BaseModel, facts: Facts, most: float) -> membership.Spec:
    """Return how the model of a job is attacked before it is released.

    Raises:
        UnsupportedQuery: if it can't be, or may not.
    """
    measure = measure_of(spec, facts)
    if measure == "survival":
        remedy = "Leave max_membership out."
        raise UnsupportedQuery("a membership check of a survival model", remedy=remedy)
    if getattr(spec, "dp", None) is not None:
        what = "a membership check of a private model, whose exact counts its epsilon leaves out"
        raise UnsupportedQuery(what, remedy="Leave max_membership out: epsilon says more.")
    return membership.Spec(measure=measure, most=most)


def tested(
    spec: BaseModel,
    facts: Facts,
    training: Training[M],
    last_round: int,
    *,
    held_out: bool,
    max_membership: float | None,
) -> Training[Tested[M]]:
    """Train, then judge the model on the rows that were held out, if any were.

    Raises:
        ModelWithheld: if it gives away more of who trained it than `max_membership`.
    """
    model = yield from training
    if not held_out:
        return Tested(model, None)
    attacked = None
    if max_membership is not None:
        attacking = attacked_by(spec, facts, max_membership)
        attacked = yield from membership.attack(attacking, facts, model, last_round)
    judged = judged_by(spec, facts)
    evaluation = yield from _on_held_out(evaluate(judged, facts, model, last_round))
    return Tested(model, evaluation, attacked)


def _on_held_out(test: Training[Evaluation]) -> Training[Evaluation]:
    """Say of each step that it is about the rows held out."""
    try:
        step = next(test)
        while True:
            options = {**step.options, _HELD_OUT: True}
            step = test.send((yield replace(step, options=options)))
    except StopIteration as end:
        evaluation: Evaluation = end.value
        return evaluation


class OwnerWithTest:
    """An owner's side of both.

    Args:
        test: the rows held out; None if there are none.
        max_membership: of the job.
    """

    def __init__(
        self,
        spec: BaseModel,
        facts: Facts,
        train: Rows,
        test: Rows | None,
        max_membership: float | None = None,
    ) -> None:
        kind = str(getattr(spec, "kind", ""))
        self._training: Owner = FAMILIES[kind].owner(spec, facts, train)
        self._testing: Owner | None = None
        if test is not None:
            judged = judged_by(spec, facts)
            self._testing = EvaluationOwner(judged, facts, test)
        self._tests = False  # have begun, so the training is over
        self._attacked: Owner | None = None
        if test is not None and max_membership is not None:
            attacking = attacked_by(spec, facts, max_membership)
            self._attacked = membership.MembershipOwner(attacking, facts, train, test)

    def answer(self, step: Step) -> Sums:
        """Answer a step of the training, or of the test.

        Raises:
            StepRefused: if it is of neither, or of the training after a test.
        """
        if step.name == membership.LOSSES and self._attacked is not None:
            self._tests = True
            return self._attacked.answer(step)
        if _HELD_OUT not in step.options:
            if self._tests:
                raise StepRefused(f"{step.name} after the training was tested")
            return self._training.answer(step)
        self._tests = True
        if self._testing is None:
            raise StepRefused(f"{step.name} on rows held out, of which there are none")
        rest = {name: value for name, value in step.options.items() if name != _HELD_OUT}
        return self._testing.answer(replace(step, options=rest))

    def close(self) -> None:
        """Give back what the training's owner holds."""
        if isinstance(self._training, Closing):
            self._training.close()
