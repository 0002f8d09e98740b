"""One step of a training: what the recipient asks of every owner, and the sum that it gets.

Rule: a step names a function that owners already have, and carries numbers; nothing in it is ever
evaluated. Its answer has a shape and a bound that are fixed before anybody computes it.
"""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol as Interface
from typing import TypeAlias, TypeVar, runtime_checkable

from cleanroom.learning.facts import Floats

M = TypeVar("M")
Sums: TypeAlias = Mapping[str, Floats]
Option: TypeAlias = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Block:
    """One array of an answer.

    Attributes:
        bound: largest absolute value that one owner's entry may have; the sum over all owners
            is off by less than (owners + 1) * owners * bound / 2^63, and rounded to a float64.
    """

    name: str
    shape: tuple[int, ...]
    bound: float

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Step:
    """What the recipient asks of every owner at once.

    Attributes:
        name: of the owners' function.
        answer: the arrays that each owner contributes to the sum. A step without any asks nobody:
            it tells what the last round gave.
        numbers: what the function takes; all owners see it.
        options: further settings, by name.
        round: counts from 1; several steps may belong to one round.
        report: loss and metrics known so far, for whoever watches.
        checkpoint: what a training that ends here needs to go on from this step; stays with the
            recipient.
    """

    name: str
    answer: tuple[Block, ...]
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    round: int = 1
    report: Mapping[str, float] = field(default_factory=dict)
    checkpoint: Mapping[str, Floats] | None = None


Training: TypeAlias = Generator[Step, Sums, M]


def finished(last_round: int, report: Mapping[str, float]) -> Step:
    """Return the step that tells what is known of the last round; nobody is asked it."""
    return Step("finished", (), round=last_round + 1, report=report)


class Owner(Interface):
    """An owner's side of one training: its rows, and what it remembers between steps."""

    def answer(self, step: Step) -> Sums:
        """Return this owner's summand: each block of the step's answer, in its shape.

        Raises:
            CleanroomError: if the step isn't one of this training's.
        """
        ...


@runtime_checkable
class Closing(Interface):
    """An owner that holds more than memory, such as a process."""

    def close(self) -> None:
        """Give it back: the last call to an owner, also of a training that failed."""
        ...
