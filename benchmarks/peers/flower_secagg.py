"""Flower's SecAgg+ in one process: its own workflow and client mod, round after round.

Messages pass between them as Flower's protobufs, from one call to the next.
"""

import logging
import secrets
from collections.abc import Iterable
from typing import Any

import numpy as np
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.client import NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.common import ndarrays_to_parameters, parameters_to_ndarrays
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.compat.common.recorddict_compat import (
    arrayrecord_to_parameters,
    parameters_to_arrayrecord,
)
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.server import LegacyContext
from flwr.server.compat.grid_client_proxy import GridClientProxy
from flwr.server.strategy import FedAvg
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity

from benchmarks.peers.three import Meter

_NODES, _EXAMPLES = (1, 2, 3), 1000
_BOUND, _LEVELS = 8.0, 1 << 22


class Client(NumPyClient):
    """Answers with its own numbers, and trains nothing."""

    def __init__(self, numbers: np.ndarray) -> None:
        self._numbers = numbers

    def fit(self, parameters: Any, config: Any) -> tuple[list[np.ndarray], int, dict[str, Any]]:
        del parameters, config
        return [self._numbers], _EXAMPLES, {}


class OneProcess(Grid):
    """Calls the app of each client when a message is sent to it."""

    def __init__(self, numbers: dict[int, np.ndarray]) -> None:
        self.bytes_sent = dict.fromkeys(numbers, 0)
        self._contexts = {node: context(node) for node in numbers}
        self._app = ClientApp(
            client_fn=lambda found: Client(numbers[found.node_id]).to_client(),
            mods=[secaggplus_mod],
        )

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        del timeout
        return [self._answered(one) for one in messages]

    def _answered(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        message.metadata.__dict__.update(_message_id=secrets.token_hex(16), _run_id=1)
        received, _ = _carried(message)
        reply, n_bytes = _carried(self._app(received, self._contexts[node]))
        self.bytes_sent[node] += n_bytes
        return reply

    def get_node_ids(self) -> list[int]:
        return list(self._contexts)

    def set_run(self, run: Any) -> None:
        raise NotImplementedError

    @property
    def run(self) -> Any:
        raise NotImplementedError

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        raise NotImplementedError


def _carried(message: Message) -> tuple[Message, int]:
    """Return what arrives of a message, and its bytes."""
    sent = message_to_proto(message).SerializeToString()
    return message_from_proto(MessageProto.FromString(sent)), len(sent)


def measured(words: int, runs: int) -> dict[str, Any]:
    """Run a round that isn't counted, then `runs`, and check each mean."""
    logging.getLogger("flwr").setLevel(logging.ERROR)
    TaskIdentity.task_id = TaskIdentity.run_id = TaskIdentity.node_id = 1
    rng = np.random.default_rng(20240229)
    numbers = {node: rng.normal(size=words).clip(-_BOUND, _BOUND) for node in _NODES}
    mean = np.mean(list(numbers.values()), axis=0)
    grid, meter, worst = OneProcess(numbers), Meter(), 0.0
    server, workflow = server_context(grid, words), secagg_plus()
    for round_ in range(1, runs + 2):
        server.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: round_})
        meter.begin()
        workflow(grid, server)
        meter.end()
        record = server.state.array_records[MAIN_PARAMS_RECORD]
        (found,) = parameters_to_ndarrays(arrayrecord_to_parameters(record, keep_input=True))
        worst = max(worst, float(np.abs(found - mean).max()))
    told = meter.report(None)
    return {
        "rows": words,
        "transport": "memory",
        "seconds": [end - begin for begin, end in told["spans"]],
        "bytes_sent_per_party": [n // (runs + 1) for n in grid.bytes_sent.values()],
        "cpu_seconds": told["cpu_seconds"],
        "peaks": [told["peak_rss_bytes"]],
        "correct": worst < 2 * _BOUND / _LEVELS,
    }


def secagg_plus() -> SecAggPlusWorkflow:
    """Return a workflow in which every client shares its keys with every other."""
    return SecAggPlusWorkflow(
        num_shares=len(_NODES),
        reconstruction_threshold=len(_NODES) - 1,
        max_weight=_EXAMPLES,
        clipping_range=_BOUND,
        quantization_range=_LEVELS,
    )


def server_context(grid: Grid, words: int) -> LegacyContext:
    """Return the server's context, with a model of zeros and its clients."""
    strategy = FedAvg(min_available_clients=len(_NODES), min_fit_clients=len(_NODES))
    made = LegacyContext(context(0), strategy=strategy)
    zeros = ndarrays_to_parameters([np.zeros(words)])
    made.state.array_records[MAIN_PARAMS_RECORD] = parameters_to_arrayrecord(zeros, True)
    for node in _NODES:
        made.client_manager.register(GridClientProxy(node, grid, 1))
    return made


def context(node: int) -> Context:
    """Return the context of a node without settings."""
    return Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={})
