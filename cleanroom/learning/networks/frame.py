"""What stays the same from round to round, and the shape of a round's sums.

Rule: both sides derive everything here from the settings, the facts and a step's numbers.
"""

from dataclasses import dataclass

import numpy as np

from cleanroom.learning.checks import numbers
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.layout import layout
from cleanroom.learning.networks.perceptron import MAX_LOSS, Perceptron
from cleanroom.learning.networks.spec import Spec
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.step import Block, Step

ROUND = "network.round"
MAX_SIZE = 1 << 24  # weights of a network


def check(spec: Spec, facts: Facts) -> Column:
    """Return the target, if this loss can learn it.

    Raises:
        TrainingImpossible: naming the column and what to change.
    """
    target = facts.target
    if target is None:
        raise TrainingImpossible("a network without a target")
    if spec.loss == "squared" and target.kind != "number":
        raise TrainingImpossible(f"a squared loss of {target.name}, which is no number")
    if spec.loss == "softmax" and len(target.values) < 2:
        raise TrainingImpossible(f"a softmax of {target.name}, which has no two values")
    binary = (target.low, target.high) == (0, 1) if target.kind == "number" else False
    if spec.loss == "logistic" and not (binary or len(target.values) == 2):
        raise TrainingImpossible(f"a logistic loss of {target.name}, which isn't 0 or 1")
    return target


def network_of(spec: Spec, target: Column, inputs: int) -> Perceptron:
    """Return the shape of the network for so many columns.

    Raises:
        TrainingImpossible: if it has more than MAX_SIZE weights.
    """
    outputs = len(target.values) if spec.loss == "softmax" else 1
    network = Perceptron((inputs, *spec.hidden, outputs), spec.loss)
    if network.size > MAX_SIZE:
        raise TrainingImpossible(f"a network of more than {MAX_SIZE} weights")
    return network


def round_blocks(spec: Spec, facts: Facts, network: Perceptron) -> tuple[Block, ...]:
    """Return what a round adds up: no entry of a clipped update is longer than the update."""
    rows = float(facts.max_rows)
    return (
        Block("update", (network.size,), rows * spec.max_norm),
        Block("rows", (), rows),
        Block("loss", (), rows * MAX_LOSS),
    )


@dataclass(frozen=True)
class Frame:
    """How raw columns become what the network sees.

    Attributes:
        centre, scale: of the target; 0 and 1 unless the loss is squared.
    """

    preparation: Preparation
    centre: float
    scale: float
    network: Perceptron

    def numbers(self) -> dict[str, Floats]:
        """Return all as a step carries it."""
        return {
            "target": np.array([self.centre, self.scale]),
            "centres": self.preparation.centres,
            "scales": self.preparation.scales,
            "fills": self.preparation.fills,
        }

    def same_as(self, other: "Frame") -> bool:
        mine, theirs = self.numbers(), other.numbers()
        return all(np.array_equal(mine[name], theirs[name]) for name in mine)

    @classmethod
    def read(cls, spec: Spec, facts: Facts, step: Step) -> "tuple[Frame, Floats]":
        """Read a round's numbers: the frame, and the weights (size,).

        Raises:
            StepRefused: if they aren't those of such a step.
        """
        target = check(spec, facts)
        width = len(layout(facts.features, spec.prepare))
        scales = step.numbers.get("scales", np.zeros(0))
        network = network_of(spec, target, int(np.count_nonzero(scales)))
        shapes: dict[str, tuple[int, ...]] = {
            "target": (2,),
            "centres": (width,),
            "scales": (width,),
            "fills": (len(facts.features),),
            "weights": (network.size,),
        }
        ends, centres, scales, fills, weights = numbers(step, **shapes)
        if ends[1] <= 0 or np.any(scales < 0):
            raise StepRefused(f"{ROUND} with scales that cannot be")
        preparation = Preparation(facts.features, spec.prepare, centres, scales, fills)
        return cls(preparation, float(ends[0]), float(ends[1]), network), weights
