"""A training's course at its recipient: its steps one after another, each noted before it is asked.

Rule: no network. What is noted is what the recipient knows anyway: sums over all owners.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from cleanroom.learning.step import Step, Sums, Training
from cleanroom.recipient.checkpoints import Checkpoints

M = TypeVar("M")
OnRound: TypeAlias = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, slots=True)
class Ended(Generic[M]):
    """The end of a training."""

    model: M


@dataclass
class Course(Generic[M]):
    """Takes a training from step to step.

    Args:
        first: the training's first step, which it has asked already.
        checkpoints: where to go on from after a crash, if that is kept.
        on_round: is told of each round that ended, and what is known of it.

    Attributes:
        rounds: for each round that ended what is known of it.
    """

    training: Training[M]
    first: Step
    checkpoints: Checkpoints | None
    on_round: OnRound
    rounds: list[Mapping[str, float]] = field(default_factory=list)

    def begin(self) -> Step:
        """Return the first step."""
        return self._noted(self.first)

    def next(self, sums: Sums) -> Step | Ended[M]:
        """Tell the training a sum, and return what it asks next, or its end."""
        try:
            step = self._noted(self.training.send(sums))
            while not step.answer:
                step = self._noted(self.training.send({}))
            return step
        except StopIteration as end:
            return Ended(end.value)

    def _noted(self, step: Step) -> Step:
        ended = step.round - 1
        told = self.rounds[-1]["round"] if self.rounds else 0
        if step.report and ended > told:
            self.rounds.append({"round": ended, **step.report})
            self.on_round(ended, step.report)
        if step.checkpoint is not None and self.checkpoints is not None:
            self.checkpoints.save(step.checkpoint, self.rounds)
        return step
