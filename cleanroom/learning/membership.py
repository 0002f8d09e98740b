"""Whether a model gives away who was in its training: the attack by loss, run before a release.

Whoever has a model and a person's row can guess that the person was in the training if the model's
loss there is small. The check runs this attack on rows that trained and rows that were held out,
and tells how often it is right about the former (true positive rate) where it is wrong about one
in a hundred of the latter.

Rule: owners' and recipient's half of 'membership.losses'. Opened: two histograms of losses over all
owners, of rows that trained and rows held out.

Security: a limit on one attack is no proof against better ones; differential privacy is. The check
binds whoever runs this software: the recipient conducts the training, and has what it summed.
Source: the measure is that of Carlini, Chien, Nasr, Song, Terzis, Tramer, IEEE S&P 2022; the attack
by loss that of Yeom, Giacomelli, Fredrikson, Jha, CSF 2018.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.learning import ranks
from cleanroom.learning.checks import Turns, check_answer, check_rows
from cleanroom.learning.errors import ModelWithheld, StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import Model
from cleanroom.learning.judging import Measure, bins_of
from cleanroom.learning.preparing import halved
from cleanroom.learning.step import Block, Step, Sums, Training
from cleanroom.learning.travelling import packed, scored, unpacked

LOSSES = "membership.losses"
FALSE_POSITIVES = 0.01
_LEAST_HELD_OUT = 100  # rows: of fewer, one in a hundred is none
_CLOSE, _FAR = -30.0, 4.0  # logarithms of an error in half ranges


class Spec(Strict):
    """How a model is attacked, and how well that may go.

    Attributes:
        measure: what the target is: 0 or 1 beside a probability, or a number.
        most: true positive rate at 1 % false positives above which the model is withheld; an
            attacker that guesses has 0.01.
        bins: of the histograms of losses.
    """

    kind: Literal["membership"] = "membership"
    measure: Measure
    most: Annotated[float, Field(gt=0, le=1)] = 0.1
    bins: Annotated[int, Field(ge=16, le=1 << 16)] = 4096


@dataclass(frozen=True, slots=True)
class Attacked:
    """How the attack went.

    Attributes:
        rate: true positive rate at 1 % false positives; 0.01 for an attacker that guesses.
        auc: chance that a row that trained has a smaller loss than one held out; 0.5 likewise.
    """

    rate: float
    auc: float


def blocks(spec: Spec, facts: Facts) -> tuple[Block, ...]:
    """Return what the step opens."""
    return (Block("counts", (2, spec.bins), float(facts.max_rows)),)


def attack(spec: Spec, facts: Facts, model: Model, round_: int = 1) -> Training[Attacked]:
    """Attack a model.

    Raises:
        ModelWithheld: if the attack is right more often than the limit allows.
        TrainingImpossible: if too few rows are held out, or none trained.
    """
    sums = yield Step(LOSSES, blocks(spec, facts), {"model": packed(model)}, {}, round_)
    held_out, trained = np.rint(sums["counts"])
    if held_out.sum() < _LEAST_HELD_OUT or not trained.any():
        what = f"a membership check with fewer than {_LEAST_HELD_OUT} rows held out, or no other"
        raise TrainingImpossible(what, remedy="Hold out more rows.")
    false, true = ranks.roc(held_out, trained)
    rate = float(np.interp(FALSE_POSITIVES, false, true))
    if rate > spec.most:
        raise ModelWithheld(
            f"an attacker tells {rate:.1%} of the rows that trained from others, at 1 % false"
            f" alarms, where {spec.most:.1%} are allowed; the model is withheld"
        )
    return Attacked(rate, float(ranks.area_under_roc(held_out, trained)[0]))


class MembershipOwner:
    """An owner's side: a model comes, two histograms go.

    Args:
        trained, held_out: rows that trained the model, and rows that didn't.
    """

    def __init__(self, spec: Spec, facts: Facts, trained: Rows, held_out: Rows) -> None:
        """Check the rows.

        Raises:
            DataMismatch: naming the column that isn't what the facts say.
            TrainingImpossible: if there is no target to compare with.
        """
        if facts.target is None:
            raise TrainingImpossible("a membership check without a target")
        for rows in (trained, held_out):
            check_rows(facts, rows)
        self._spec, self._facts, self._column = spec, facts, facts.target
        self._parts = (held_out, trained)
        self._turns = Turns({LOSSES: 1})

    def answer(self, step: Step) -> Sums:
        """Count rows by their loss, the largest first.

        Raises:
            StepRefused: if the step is another, or carries no model.
        """
        self._turns.take(step)
        check_answer(step, blocks(self._spec, self._facts))
        if set(step.numbers) != {"model"}:
            raise StepRefused(f"{step.name} without a model")
        model = unpacked(step.numbers["model"])
        return {"counts": np.array([self._counts(model, part) for part in self._parts])}

    def _counts(self, model: Model, rows: Rows) -> Floats:
        bins = self._spec.bins
        if rows.target is None or not len(rows):
            return np.zeros(bins)
        is_number = self._spec.measure == "number"
        score = scored(model, rows.features, *(() if is_number else (0.0, 1.0)))
        known = ~np.isnan(score)
        score, target = score[known], rows.target[known]
        if is_number:
            where = _closeness(self._column, target, score, bins)
        else:
            where = bins_of(np.where(target == 1, score, 1 - score), bins)
        return np.bincount(where, minlength=bins).astype(np.float64)


def _closeness(column: Column, target: Floats, score: Floats, bins: int) -> NDArray[np.intp]:
    """Return bins by the logarithm of the error, the smallest errors last."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(halved(column, score) - halved(column, target)))
    share = (_FAR - logarithm.clip(_CLOSE, _FAR)) / (_FAR - _CLOSE)
    found: NDArray[np.intp] = np.minimum((share * bins).astype(np.intp), bins - 1)
    return found
