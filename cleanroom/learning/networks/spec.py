"""What a training of a neural network may be told: public, and part of the plan."""

from typing import Annotated, Literal

from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.learning.layout import Preparing

_Width = Annotated[int, Field(ge=1, le=4096)]


class Spec(Strict):
    """A multi-layer perceptron with ReLU, trained by federated averaging.

    Attributes:
        hidden: units of each hidden layer.
        loss: `logistic` for two values, `softmax` for a category, `squared` for a number.
        rounds: how often owners' updates are averaged, weighted by their rows.
        local_epochs: how often an owner goes over its rows in a round.
        proximal: pulls an owner's weights back to the round's: FedProx; 0 is FedAvg.
        max_norm: Euclidean length to which an owner's update of a round is shortened. It bounds
            every entry, so that the sum can't overflow.
        l2: weight decay.
        seed: of the first weights and of the order of rows.
    """

    kind: Literal["network"] = "network"
    hidden: Annotated[tuple[_Width, ...], Field(max_length=8)] = (32,)
    loss: Literal["logistic", "softmax", "squared"] = "logistic"
    rounds: Annotated[int, Field(ge=1, le=10_000)] = 30
    local_epochs: Annotated[int, Field(ge=1, le=100)] = 1
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    proximal: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    l2: Annotated[float, Field(ge=0, le=1e3)] = 0.0
    max_norm: Annotated[float, Field(gt=0, le=1e6)] = 100.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    prepare: Preparing = Preparing()
