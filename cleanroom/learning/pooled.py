"""A training whose owners are objects of this process: INSECURE, for tests and comparisons.

Rule: the sums of `summed` are plain float64, or pass through the same fixed-point words as in a
room; nothing is masked.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from cleanroom.learning.step import Owner, Step, Sums, Training

M = TypeVar("M")
Summed = Callable[[Step, Sequence[Sums]], Sums]


def summed(step: Step, answers: Sequence[Sums]) -> Sums:
    """Add up what owners answered, in plain."""
    return {b.name: np.sum([answer[b.name] for answer in answers], axis=0) for b in step.answer}


def next_asked(training: Training[M], sums: Sums) -> Step:
    """Tell a training a sum; return the next step that owners are asked.

    Raises:
        StopIteration: with what it learnt, at its end.
    """
    step = training.send(sums)
    while not step.answer:
        step = training.send({})
    return step


def run(training: Training[M], owners: Sequence[Owner], add_up: Summed = summed) -> M:
    """Run a training to its end and return what it learnt."""
    try:
        step = next(training)
        while True:
            sums = add_up(step, [owner.answer(step) for owner in owners])
            step = next_asked(training, sums)
    except StopIteration as end:
        model: M = end.value
        return model
