"""The example app, its rows at three owners, and Flower's own aggregation of single replies."""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import Context, Message, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

from cleanroom.flower import rows as rows_file
from cleanroom.flower.apps import Code, read
from cleanroom.flower.limits import Limits
from cleanroom.flower.owner import AppOwner
from cleanroom.flower.spec import Metric, Spec
from cleanroom.learning.facts import Column, Facts, Rows

FOLDER = Path(__file__).parent / "apps" / "tumours"
CODE = read(FOLDER)
NAMES = ("radius", "smoothness", "texture")
FACTS = Facts(
    tuple(Column(name, "number", -10, 10) for name in NAMES),
    Column("malignant", "number", 0, 1),
    owners=3,
    max_rows=1000,
)
LIMITS = Limits(reply_s=20.0, memory_bytes=4 << 30, cpu_s=60, threads=1)
METRICS = {
    "train": {"loss": Metric(bound=50), "seen": Metric(bound=100)},
    "evaluate": {"loss": Metric(bound=50), "accuracy": Metric(bound=1)},
    "query": {"counts": Metric(bound=1000, length=2)},
    "query.misbehave": {"done": Metric(bound=1)},
}


def spec(**changes: Any) -> Spec:
    config = {"features": 3, **changes.pop("config", {})}
    whole = {"app": "tumours", "sha256": CODE.sha256, "metrics": METRICS, "config": config}
    return Spec(**{**whole, **changes})


def rows(place: int, n: int = 0) -> Rows:
    draw = np.random.default_rng(place)
    n = n or 40 + 30 * place
    x = draw.normal(loc=0.3 * place, size=(n, 3))
    y = (x @ [1.0, -2.0, 0.5] + draw.normal(size=n) > 0).astype(float)
    return Rows(dict(zip(NAMES, x.T, strict=True)), y, place=place)


def owners(spec: Spec, code: Code = CODE, limits: Limits = LIMITS) -> list[AppOwner]:
    return [AppOwner(spec, FACTS, rows(place), code, limits) for place in range(3)]


class Direct(Grid):
    """Flower's Grid over a ClientApp in this process: every reply comes back by itself."""

    def __init__(
        self, client: Any, folder: Path, config: Mapping[str, Any], facts: Facts, owned: list[Rows]
    ) -> None:
        self._client, self._contexts = client, {}
        for place, own in enumerate(owned):
            (folder / str(place)).mkdir()
            rows_file.write(folder / str(place), facts, own)
            path = str(folder / str(place) / rows_file.NAME)
            node = {"partition-id": place, "num-partitions": 3, "data": path}
            self._contexts[place + 1] = Context(1, place + 1, node, RecordDict(), dict(config))

    def set_run(self, run: Run) -> None:
        raise NotImplementedError

    @property
    def run(self) -> Run:
        return Run.create_empty(1)

    def create_message(self, *_: Any, **__: Any) -> Message:
        raise NotImplementedError

    def get_node_ids(self) -> Iterable[int]:
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        raise NotImplementedError

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        return [self._client(m, self._contexts[m.metadata.dst_node_id]) for m in messages]


def direct(
    spec: Spec, folder: Path, facts: Facts = FACTS, owned: list[Rows] | None = None
) -> list[Any]:
    """Run the app as Flower does, on single replies; return what its strategies gave."""
    owned = owned or [rows(place) for place in range(3)]
    from flwr.serverapp.strategy import Strategy
    from tumours.client_app import app as client
    from tumours.server_app import app as server

    TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = 1, 1, 0
    config = {**CODE.config, **spec.config}
    results: list[Any] = []
    start = Strategy.start

    def noted(self: Strategy, *args: Any, **kwargs: Any) -> Any:
        results.append(start(self, *args, **kwargs))
        return results[-1]

    random.seed(spec.seed)
    np.random.seed(spec.seed)
    Strategy.start = noted  # type: ignore[method-assign]
    try:
        server(
            Direct(client, folder, config, facts, owned), Context(1, 0, {}, RecordDict(), config)
        )
    finally:
        Strategy.start = start  # type: ignore[method-assign]
    return results
