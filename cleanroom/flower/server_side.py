"""A ServerApp in the sandbox: each of its rounds is a question through the pipe.

Rule: it only ever gets sums. It ends with the arrays of its last strategy, or with those that it
left in `context.state`.
"""

import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, RecordDict
from flwr.serverapp import ServerApp

from cleanroom.flower.failures import FAILURES
from cleanroom.flower.frames import Frame, Pipe
from cleanroom.flower.grid import RoomGrid, RoundRefused, Sums
from cleanroom.flower.loading import context, load
from cleanroom.flower.records import NotSummable, message_parts
from cleanroom.flower.strategies import StrategyRefused, Watch
from cleanroom.learning.facts import Floats

_NOTHING = np.zeros(0)
_GENERATORS = {"random": "seed", "numpy.random": "seed", "torch": "manual_seed"}


def run(pipe: Pipe, start: Mapping[str, Any]) -> None:
    """Run the app to its end and give the model, or why there is none."""
    try:
        own = context(start)
        aggregation = start["own_aggregation"]
        watch = Watch(start["weighted_by"], start["owners"], own_aggregation=aggregation)
        app = _seeded(start)
        if not isinstance(app, ServerApp):
            raise NotSummable("component")
        app(_grid(pipe, start, watch), own)
        parts, numbers = _model(watch, own)
        pipe.send(Frame({"model": parts["arrays"]}, numbers))
    except (StrategyRefused, RoundRefused) as error:
        pipe.send(Frame({"refused": str(error)}, _NOTHING))
    except NotSummable as error:
        pipe.send(Frame({"failed": FAILURES[str(error)]}, _NOTHING))
    except BaseException as error:  # noqa: BLE001 - the app may raise anything
        traceback.print_exc()
        pipe.send(Frame({"failed": f"{type(error).__name__}: {error}"[:500]}, _NOTHING))


def _seeded(start: Mapping[str, Any]) -> object:
    """Load the app between seeds, so that a training that is resumed repeats what it did."""
    _seed(start["seed"])
    app = load(start)
    _seed(start["seed"])
    return app


def _seed(seed: int) -> None:
    """Seed what the app may draw first weights and nodes from; nothing secret hangs on it."""
    for name, function in _GENERATORS.items():
        if name != "torch" or name in sys.modules:
            getattr(import_module(name), function)(seed)


def _grid(pipe: Pipe, start: Mapping[str, Any], watch: Watch) -> RoomGrid:
    def ask(question: Frame) -> Sums:
        pipe.send(Frame({"message": question.header}, question.numbers))
        answer = pipe.receive(start["most_numbers"])
        sums, at = {}, 0
        for name, shape in answer.header["sums"]:
            size = int(np.prod(shape, dtype=np.int64))
            sums[name] = answer.numbers[at : at + size].reshape(shape)
            at += size
        return sums

    names = start["weighted_by"], start["metrics_record"]
    return RoomGrid(ask, start["owners"], *names, watch.before_sending)


def _model(watch: Watch, own: Context) -> tuple[dict[str, Any], Floats]:
    """Return the arrays that the app ended with."""
    left = list(own.state.array_records.values())
    found = watch.results[-1].arrays if watch.results else ArrayRecord()
    if not found and len(left) == 1:
        found = left[0]
    if not found:
        raise NotSummable("arrays")
    return message_parts(RecordDict({"arrays": found}))
