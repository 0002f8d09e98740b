"""What a job says about a Flower app: which code, which messages, and what a reply may hold.

Rule: every number that an owner adds to a sum has its place and its bound here, before the app
runs. Flower isn't imported.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cleanroom.contract.fields import Strict
from cleanroom.flower.apps import Option, Sha256
from cleanroom.flower.message import Message
from cleanroom.learning.facts import Facts
from cleanroom.learning.step import Block

_Bound = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
_Key = Annotated[str, Field(min_length=1, max_length=100)]
_Kind = Annotated[str, Field(pattern=r"^(train|evaluate|query)(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$")]


class Metric(Strict):
    """A number, or a list of numbers, in the MetricRecord of a reply.

    Attributes:
        bound: the largest absolute value at one owner.
        length: how many numbers its list has; None for a number by itself.
    """

    bound: _Bound
    length: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return () if self.length is None else (self.length,)


class Spec(Strict):
    """The model's part of a job.

    Attributes:
        app: by which name every member has the code at hand; `sha256` is the hash of the code.
        metrics: what a reply to each kind of message holds beside its weight: a kind that isn't
            named is refused. A reply to `train` or `train.ACTION` also holds the arrays of its
            message, in the same shapes.
        bound: the largest absolute value of an entry of these arrays, at one owner.
        max_parameters: how many entries they have at most.
        rounds: how many messages of each kind an owner answers.
        weighted_by: the metric that is a reply's weight, above 0 and at most the rows that an
            owner may have. Replies to queries may lack it, and then weigh 1.
        metrics_record: the key of the MetricRecord in the replies that the ServerApp gets.
        config: of the run, over what the app's own pyproject.toml says.
        seed: of the ServerApp's `random` and `numpy.random`, and PyTorch where it is there.
        own_aggregation: the ServerApp aggregates by code of its own, which needs only the mean:
            it gets replies that all hold the mean, with equal weights.
        subsets: it may leave owners out of a round, as long as three are in. Whoever gets sums
            over sets that differ in one owner can tell much about that owner's part.
    """

    kind: Literal["flower"] = "flower"
    app: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    sha256: Sha256
    metrics: Mapping[_Kind, Mapping[_Key, Metric]]
    bound: _Bound = 100.0
    max_parameters: Annotated[int, Field(ge=1, le=100_000_000)] = 1_000_000
    rounds: Annotated[int, Field(ge=1, le=10_000)] = 100
    weighted_by: _Key = "num-examples"
    metrics_record: _Key = "metrics"
    config: Mapping[_Key, Option] = Field(default_factory=dict)
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    own_aggregation: bool = False
    subsets: bool = False

    @model_validator(mode="after")
    def _apart(self) -> "Spec":
        if not self.metrics:
            raise ValueError("metrics: no kind of message, such as train, is named")
        if any(self.weighted_by in named for named in self.metrics.values()):
            raise ValueError(f"metrics: '{self.weighted_by}' is the weight, not a metric")
        return self

    def blocks(self, message: Message, facts: Facts) -> tuple[Block, ...]:
        """Return what every owner adds to the sums of a round: all of it times its weight."""
        most = float(facts.max_rows)
        blocks = [Block("weight", (), most)]
        if message.trains:
            blocks.append(Block("arrays", (message.size,), self.bound * most))
        for name, metric in sorted(self.metrics[message.type].items()):
            blocks.append(Block(f"metric.{name}", metric.shape, metric.bound * most))
        return tuple(blocks)

    def most_numbers(self) -> int:
        """Return the length of the longest reply."""
        return self.max_parameters + sum(
            math.prod(metric.shape) for named in self.metrics.values() for metric in named.values()
        )
