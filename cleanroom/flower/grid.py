"""Flower's Grid over the room: a round of messages becomes one question, its answer are sums.

Rule: runs where the ServerApp runs. Every node gets the same message, and the replies that the
ServerApp sees all hold the weighted mean, with equal weights that add up to the total.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.run import Run

from cleanroom.flower.frames import Frame
from cleanroom.flower.records import array_record, message_parts
from cleanroom.learning.facts import Floats

LEAST_NODES = 3
Sums = Mapping[str, Floats]
Ask = Callable[[Frame], Sums]


class RoundRefused(Exception):
    """A round of messages that the room can't make one sum of, and why."""


class RoomGrid(Grid):
    """The nodes 1 to `owners`, asked all at once."""

    def __init__(
        self,
        ask: Ask,
        owners: int,
        weighted_by: str,
        metrics_record: str,
        allow: Callable[[], None],
    ) -> None:
        """Ask by `ask`, after `allow` raised nothing.

        Args:
            weighted_by: the metric that is a reply's weight.
            metrics_record: the key of the MetricRecord in replies.
        """
        self._ask, self._owners, self._allow = ask, owners, allow
        self._weighted_by, self._metrics_record = weighted_by, metrics_record
        self._run = Run.create_empty(1)

    def set_run(self, run: Run) -> None:
        """Set what `run` returns."""
        self._run = run

    @property
    def run(self) -> Run:
        """What Flower tells of a run; the room knows its job instead."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Make a message."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """Return one id an owner."""
        return list(range(1, self._owners + 1))

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Refuse: replies are only there as a sum of a whole round."""
        raise RoundRefused("push_messages, which asks for single replies: use send_and_receive")

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Refuse: replies are only there as a sum of a whole round."""
        raise RoundRefused("pull_messages, which asks for single replies: use send_and_receive")

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Send one round and return a reply from every node that it addressed.

        Raises:
            RoundRefused: if the messages differ, or address a node twice or fewer than three.
        """
        self._allow()
        sent = sorted(messages, key=lambda message: message.metadata.dst_node_id)
        if not sent:
            return []
        nodes = [message.metadata.dst_node_id for message in sent]
        _check(sent, nodes, self._owners)
        parts, numbers = message_parts(sent[0].content)
        header = {"type": sent[0].metadata.message_type, "nodes": nodes, **parts}
        sums = self._ask(Frame(header, numbers))
        return [Message(self._reply(parts, sums, len(sent)), reply_to=each) for each in sent]

    def _reply(self, parts: Mapping[str, Any], sums: Sums, replies: int) -> RecordDict:
        """Return the mean over all nodes as one node's reply."""
        total = float(sums["weight"])
        metrics = MetricRecord({self._weighted_by: total / replies})
        for name, value in sums.items():
            if name.startswith("metric."):
                metrics[name.removeprefix("metric.")] = (value / total).tolist()
        reply = RecordDict({self._metrics_record: metrics})
        if "arrays" in sums and parts["arrays"] is not None:
            layout = parts["arrays"]
            reply[layout["record"]] = _mean(layout["items"], sums["arrays"] / total)
        return reply


def _mean(items: Iterable[tuple[str, str, list[int]]], mean: Floats) -> ArrayRecord:
    """Return means in the dtypes of their arrays; of integers and truth values, as float64."""
    typed = [
        (name, dtype if np.dtype(dtype).kind == "f" else "float64", shape)
        for name, dtype, shape in items
    ]
    return array_record(typed, mean)


def _check(sent: list[Message], nodes: list[int], owners: int) -> None:
    if len(set(nodes)) < len(nodes):
        raise RoundRefused("a round with two messages to one node")
    if not set(nodes) <= set(range(1, owners + 1)):
        raise RoundRefused("a round that addresses a node that isn't there")
    if len(nodes) < LEAST_NODES:
        raise RoundRefused(
            f"a round to {len(nodes)} nodes: of fewer than {LEAST_NODES} no sum is opened"
        )
    first = sent[0]
    for other in sent[1:]:
        if other.metadata.message_type != first.metadata.message_type:
            raise RoundRefused("a round of messages of more than one type")
        if other.content is not first.content and other.content != first.content:
            raise RoundRefused("a round of different messages: every node gets the same one")
