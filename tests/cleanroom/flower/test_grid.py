"""What a ServerApp may send, which strategies may, and what stays out of other processes."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.serverapp import strategy as flower
from flwr.serverapp.strategy import Strategy
from flwr.supercore.task_identity import TaskIdentity

from cleanroom.flower.frames import Frame
from cleanroom.flower.grid import RoomGrid, RoundRefused, Sums
from cleanroom.flower.records import NotSummable
from cleanroom.flower.strategies import INDIVIDUAL, MEAN_ONLY, StrategyRefused, check

RATE = ConfigRecord({"rate": 0.1})


@pytest.fixture(autouse=True)
def _identity() -> None:
    TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = 1, 1, 0


def message(node: int, kind: str = "train", **records: Any) -> Message:
    return Message(RecordDict({"config": RATE, **records}), node, kind)


def grid(asked: list[Frame], **sums: Any) -> RoomGrid:
    def ask(frame: Frame) -> Sums:
        asked.append(frame)
        return {name: np.asarray(value, float) for name, value in sums.items()}

    return RoomGrid(ask, 4, "num-examples", "metrics", lambda: None)


def test_every_reply_holds_the_mean_in_the_dtypes_of_the_message() -> None:
    arrays = ArrayRecord({"w": Array(np.zeros(2, np.float32)), "n": Array(np.array(5))})
    asked: list[Frame] = []
    sums = {"weight": 8, "arrays": [8, 16, 4], "metric.loss": 2}
    replies = list(grid(asked, **sums).send_and_receive([message(n, a=arrays) for n in (4, 1, 2)]))
    assert asked[0].header["nodes"] == [1, 2, 4]
    assert asked[0].numbers.tolist() == [0, 0, 5]
    assert [reply.metadata.src_node_id for reply in replies] == [1, 2, 4]
    for reply in replies:
        assert reply.content["metrics"] == {"num-examples": 8 / 3, "loss": 0.25}
        assert reply.content["a"]["w"].numpy().dtype == np.float32
        assert reply.content["a"]["w"].numpy().tolist() == [1, 2]
        assert (reply.content["a"]["n"].numpy().shape, reply.content["a"]["n"].numpy()) == ((), 0.5)
    assert grid(asked).send_and_receive([]) == []


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        (lambda: [message(1), message(2)], "2 nodes: of fewer than 3"),
        (lambda: [message(1), message(2), message(2)], "two messages to one node"),
        (lambda: [message(1), message(2), message(7)], "isn't there"),
        (lambda: [message(1), message(2), message(3, "evaluate")], "more than one type"),
        (lambda: [message(1), message(2), message(3, other=RATE)], "different messages"),
    ],
)
def test_a_round_is_refused(messages: Callable[[], list[Message]], error: str) -> None:
    with pytest.raises(RoundRefused, match=error):
        grid([]).send_and_receive(messages())


def test_what_cannot_travel_is_refused() -> None:
    one = ArrayRecord({"w": Array(np.zeros(2))})
    with pytest.raises(NotSummable):
        grid([]).send_and_receive([message(n, a=one, b=one) for n in (1, 2, 3)])
    secret = ConfigRecord({"key": b"bytes"})
    with pytest.raises(NotSummable):
        grid([]).send_and_receive([message(n, b=secret) for n in (1, 2, 3)])
    with pytest.raises(RoundRefused, match="single replies"):
        grid([]).push_messages([])


def made(kind: type[Strategy]) -> Strategy:
    arguments: dict[str, Any] = {"strategy": flower.FedAvg()}
    names = kind.__init__.__code__.co_varnames
    arguments |= {"proximal_mu": 0.1, "num_malicious_nodes": 1, "noise_multiplier": 0.1}
    arguments |= {"clipping_norm": 1.0, "num_sampled_clients": 3, "client_learning_rate": 0.1}
    return kind(**{name: value for name, value in arguments.items() if name in names})


@pytest.mark.parametrize("kind", MEAN_ONLY)
def test_strategies_of_the_mean_may_run(kind: type[Strategy]) -> None:
    check(made(kind), "num-examples", 3, own_aggregation=False)


@pytest.mark.parametrize("kind", INDIVIDUAL)
def test_strategies_of_single_updates_are_refused_by_name(kind: type[Strategy]) -> None:
    with pytest.raises(StrategyRefused, match=kind.__name__):
        check(made(kind), "num-examples", 3, own_aggregation=True)


def test_no_strategy_of_flower_is_forgotten() -> None:
    every = {getattr(flower, name) for name in flower.__all__ if name not in ("Result", "Strategy")}
    assert every == {*MEAN_ONLY, *INDIVIDUAL}


class Median(flower.FedAvg):
    def aggregate_train(self, server_round: int, replies: Any) -> Any:
        raise NotImplementedError


class Announced(flower.FedAvg):
    def summary(self) -> None:
        """Say nothing."""


def test_own_aggregation_has_to_be_declared() -> None:
    check(Announced(), "num-examples", 3, own_aggregation=False)
    check(Median(), "num-examples", 3, own_aggregation=True)
    own = flower.FedAvg(train_metrics_aggr_fn=lambda records, key: records[0])
    for strategy in Median(), own:
        with pytest.raises(StrategyRefused, match="own_aggregation"):
            check(strategy, "num-examples", 3, own_aggregation=False)
    with pytest.raises(StrategyRefused, match="weights by 'rows'"):
        check(flower.FedAvg(weighted_by_key="rows"), "num-examples", 3, own_aggregation=True)
    with pytest.raises(StrategyRefused, match="waits for 10 nodes, of which there are 3"):
        check(flower.FedAvg(min_available_nodes=10), "num-examples", 3, own_aggregation=False)


def test_owners_and_recipients_do_not_import_flower() -> None:
    code = (
        "import cleanroom.flower.owner, cleanroom.flower.conduct, sys; print('flwr' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
