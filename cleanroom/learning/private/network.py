"""Small neural networks under differential privacy: noisy gradient descent over all rows.

Rule: the network is that of `networks`; what is new is who may know a gradient. First a noisy count
of rows, then as many noisy sums of clipped gradients as there are rounds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.errors import ModelMismatch
from cleanroom.learning import networks
from cleanroom.learning.checks import check_rows, numbers
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.layout import Preparing
from cleanroom.learning.networks.frame import check, network_of
from cleanroom.learning.networks.perceptron import Perceptron
from cleanroom.learning.private.design import declared, design, middle_and_half
from cleanroom.learning.private.owner import private
from cleanroom.learning.private.regression import GRADIENT
from cleanroom.learning.private.spec import DpSpec, Question, card, question, total_rho
from cleanroom.learning.step import Owner, Step, Training, finished
from protocols.dp.words import Words

COUNT = "private.count"
_FOR_COUNT = Fraction(1, 50)  # of the budget
_Width = Annotated[int, Field(ge=1, le=4096)]
Checkpoint: TypeAlias = Mapping[str, Floats]


class Spec(Strict):
    """A multi-layer perceptron with ReLU.

    Attributes:
        hidden, loss, seed: as of `networks.Spec`.
        rounds: gradient steps; each uses all rows.
        l2: weight decay.
    """

    kind: Literal["private_network"] = "private_network"
    dp: DpSpec
    hidden: Annotated[tuple[_Width, ...], Field(max_length=8)] = (16,)
    loss: Literal["logistic", "softmax", "squared"] = "logistic"
    rounds: Annotated[int, Field(ge=1, le=10_000)] = 100
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.5
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    l2: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    prepare: Preparing = Preparing()

    @property
    def shape(self) -> networks.Spec:
        """Return what the network itself is told."""
        told = self.model_dump(include={"hidden", "loss", "seed", "prepare"})
        return networks.Spec.model_validate(told)


@dataclass(frozen=True)
class PrivateNetwork:
    """A network, and what it says of its privacy as `spec.card` tells it."""

    network: networks.NetworkModel
    privacy: Mapping[str, Any]

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return what the network predicts, (n,).

        Raises:
            DataMismatch: naming a feature that is absent, or has a value that isn't declared.
        """
        return self.network.predict(columns)

    def to_json(self) -> str:
        """Return the model as text that `from_json` reads."""
        inner = json.loads(self.network.to_json())
        whole = {"kind": "private_network", "network": inner, "privacy": dict(self.privacy)}
        return json.dumps(whole, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "PrivateNetwork":
        """Read a model.

        Raises:
            ModelMismatch: if the text isn't one.
        """
        try:
            given = json.loads(text)
            if given["kind"] != "private_network" or not isinstance(given["privacy"], dict):
                raise ValueError("another kind of model")
            inner = networks.NetworkModel.from_json(json.dumps(given["network"]))
        except (ValueError, KeyError, TypeError):
            raise ModelMismatch("not a privately trained network") from None
        return cls(inner, given["privacy"])


@dataclass
class _At:
    """Where the descent stands; all of it follows from noisy sums."""

    NAMES: ClassVar = ("weights", "speed", "state")
    weights: Floats
    speed: Floats
    state: Floats  # rows, about; and which round comes

    def checkpoint(self) -> Checkpoint:
        return {name: np.array(getattr(self, name)) for name in self.NAMES}


def train(spec: Spec, facts: Facts, resume: Checkpoint | None = None) -> Training[PrivateNetwork]:
    """Train a network whose every sum is private.

    Raises:
        TrainingImpossible: if the target doesn't suit, or no noise can be drawn for the spec.
    """
    asked, (target, network) = _questions(spec, facts), _network(spec, facts)
    if resume is None:
        sums = yield Step(COUNT, (asked[COUNT].block,))
        zeros, rows = np.zeros(network.size), max(1.0, float(sums["sum"][0]))
        at = _At(network.first(spec.seed), zeros, np.array([rows, 1.0]))
    else:
        at = _At(**{name: np.array(resume[name]) for name in _At.NAMES})
    answer, report = (asked[GRADIENT].block,), dict[str, float]()
    for number in range(round(at.state[1]), spec.rounds + 1):
        kept = at.checkpoint()
        sums = yield Step(GRADIENT, answer, {"weights": at.weights}, {}, number, report, kept)
        slope = sums["sum"] * asked[GRADIENT].clip / at.state[0] + spec.l2 * at.weights
        at.speed = spec.momentum * at.speed - spec.learning_rate * slope
        at.weights = at.weights + at.speed
        at.state = np.array([at.state[0], number + 1.0])
        report = {"moved": float(np.sqrt(np.mean(at.speed**2)))}
    yield finished(spec.rounds, report)
    preparation = declared(facts, spec.prepare)
    centre, scale = _target_scale(spec, target)
    inner = networks.NetworkModel(spec.shape, preparation, target, centre, scale, at.weights)
    return PrivateNetwork(inner, card(spec.dp, facts, asked))


def owner(spec: Spec, facts: Facts, rows: Rows, words: Words | None = None) -> Owner:
    """Return an owner's side.

    Raises:
        DataMismatch: naming the column that isn't what the facts say.
    """
    check_rows(facts, rows)
    target, network = _network(spec, facts)
    own = design(facts, spec.prepare, rows)
    centre, scale = _target_scale(spec, target)
    inner = _Own(network, own.x[:, 1:], (own.y - centre) / scale)
    return private(inner, spec.dp, _questions(spec, facts), own.persons, words)


def cost(spec: Spec, facts: Facts) -> Fraction:
    """Return what a whole training costs a person, in rho.

    Raises:
        TrainingImpossible: if the target doesn't suit, or no noise can be drawn for the spec.
    """
    return total_rho(_questions(spec, facts))


@dataclass(frozen=True)
class _Own:
    """An owner's rows: each counts as one, and has a gradient."""

    network: Perceptron
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.y)

    def per_row(self, step: Step, at: NDArray[np.intp]) -> Floats:
        if step.name == COUNT:
            numbers(step)
            return np.ones((len(at), 1))
        (weights,) = numbers(step, weights=(self.network.size,))
        with np.errstate(over="ignore", invalid="ignore"):
            return self.network.row_gradients(weights, self.x[at], self.y[at])


def _questions(spec: Spec, facts: Facts) -> Mapping[str, Question]:
    dp, (_, network) = spec.dp, _network(spec, facts)
    share = dp.rho * _FOR_COUNT
    rest, size, clip = dp.rho - share, network.size, dp.clip
    return {
        COUNT: question(dp, facts, COUNT, 1.0, share, 1, 1),
        GRADIENT: question(dp, facts, GRADIENT, clip, rest, size, spec.rounds),
    }


def _network(spec: Spec, facts: Facts) -> tuple[Column, Perceptron]:
    target = check(spec.shape, facts)
    inputs = len(declared(facts, spec.prepare).used)
    return target, network_of(spec.shape, target, inputs)


def _target_scale(spec: Spec, target: Column) -> tuple[float, float]:
    return middle_and_half(target) if spec.loss == "squared" else (0.0, 1.0)
