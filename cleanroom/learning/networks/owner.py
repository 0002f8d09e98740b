"""An owner's side of federated averaging: its update of a round, weighted by its rows.

Rule: whatever a step carries is checked before it is used, and the update before anybody adds it.
"""

import numpy as np

from cleanroom.errors import DataMismatch
from cleanroom.learning.checks import Turns, check_answer, check_rows
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.networks.frame import ROUND, Frame, check, round_blocks
from cleanroom.learning.networks.local import clipped, trained
from cleanroom.learning.networks.spec import Spec
from cleanroom.learning.preparation import complete
from cleanroom.learning.preparing import COUNT, SPREAD, Counted, count, spread
from cleanroom.learning.step import Step, Sums


class NetworkOwner:
    """Trains on this owner's rows, one round after another; only means and scales are kept."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        """Check the rows, and leave out those with missing values if the job says so.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
            TrainingImpossible: if there are no rows: an update of weight 0.
        """
        self._name = check(spec, facts).name
        check_rows(facts, rows)
        self._spec, self._facts, self._counted = spec, facts, Counted(facts)
        kept = np.ones(len(rows), dtype=np.bool_)
        if spec.prepare.missing == "drop":
            kept = complete(facts.features, spec.prepare, rows.features)
        self._columns = {name: values[kept] for name, values in rows.features.items()}
        self._target = _target(spec, self._name, rows)[kept]
        if not len(self._target):
            raise TrainingImpossible("an owner without rows", remedy="Leave this owner out.")
        self._turns = Turns({COUNT: 1, SPREAD: 1, ROUND: spec.rounds})
        self._made: tuple[Frame, Floats, Floats] | None = None

    def answer(self, step: Step) -> Sums:
        """Return this owner's summand of a step of this training.

        Raises:
            StepRefused: if the step isn't one, or doesn't fit what came before.
            TrainingImpossible: if the update of these rows isn't finite.
        """
        self._turns.take(step)
        if step.name == ROUND:
            return self._round(step)
        prepare = count if step.name == COUNT else spread
        return prepare(self._counted, {**self._columns, self._name: self._target}, step)

    def _round(self, step: Step) -> Sums:
        """Train for a round; return the clipped update times rows, the rows, and their loss."""
        frame, weights = Frame.read(self._spec, self._facts, step)
        check_answer(step, round_blocks(self._spec, self._facts, frame.network))
        rows, target = self._numbers(frame)
        loss = frame.network.loss_sum(weights, rows, target)
        mine = trained(self._spec, frame.network, weights, rows, target, step.round)
        if not np.isfinite(mine).all():
            what = f"the update of round {step.round} isn't finite"
            raise TrainingImpossible(what, remedy="Lower the learning_rate.")
        n = float(len(target))
        update = clipped(mine - weights, self._spec.max_norm) * n
        return {"update": update, "rows": np.array(n), "loss": np.array(loss)}

    def _numbers(self, frame: Frame) -> tuple[Floats, Floats]:
        """Return (n, inputs) and the target, made by the first round's means and scales."""
        if self._made is None:
            rows = frame.preparation.standardised(self._columns).T
            target = (self._target - frame.centre) / frame.scale
            self._made = frame, np.ascontiguousarray(rows), target
        before, rows, target = self._made
        if not frame.same_as(before):
            raise StepRefused(f"{ROUND} with other means and scales than before")
        return rows, target


def _target(spec: Spec, name: str, rows: Rows) -> Floats:
    target = np.zeros(0) if rows.target is None else rows.target
    if spec.loss == "logistic" and np.any((target != 0) & (target != 1)):
        raise DataMismatch(f"{name}: a value other than 0 and 1")
    return target


def owner(spec: Spec, facts: Facts, rows: Rows) -> NetworkOwner:
    """Return an owner's side.

    Raises:
        DataMismatch: naming the column that isn't what the facts say.
        TrainingImpossible: if the owner has no rows.
    """
    return NetworkOwner(spec, facts, rows)
