"""One secured round of a training in a room of real processes, whose owners compute nothing.

As a script it is the command `cleanroom`, with one more family of models: owners that add the same
numbers to every sum.
"""

import datetime as dt
import time
from operator import attrgetter
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom
from cleanroom.contract.fields import Strict
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES, Family
from cleanroom.learning.step import Block, Step, Sums, Training

OWNERS = ("north", "south", "west")
ROUNDS = 8  # of one run; the first isn't counted


class Spec(Strict):
    """How many numbers are added up, how often."""

    kind: Literal["nothing"] = "nothing"
    numbers: int
    rounds: int = ROUNDS


class Nothing:
    """What such a training gives: how long each round took, and the last sum."""

    def __init__(self, seconds: list[float], last: Floats) -> None:
        self.seconds, self.last = seconds, last


class Owner:
    """Adds the same numbers to every sum."""

    def __init__(self, spec: Spec, facts: Facts, rows: Rows) -> None:
        del facts, rows
        self._numbers = numbers(spec.numbers)

    def answer(self, step: Step) -> Sums:
        return {"weights": self._numbers}


def numbers(n: int) -> Floats:
    """Return what each owner adds."""
    return np.linspace(-1, 1, n)


def train(spec: Spec, facts: Facts, resume: object = None) -> Training[Nothing]:
    """Ask for the same sum in every round."""
    del facts, resume
    seconds, weights = [], np.zeros(spec.numbers)
    for round_ in range(1, spec.rounds + 1):
        started = time.perf_counter()
        block = Block("weights", (spec.numbers,), 1.0)
        sums = yield Step("add", (block,), {"weights": weights}, {}, round_)
        seconds.append(time.perf_counter() - started)
        weights = sums["weights"] / len(OWNERS)
    return Nothing(seconds[1:], sums["weights"])


class Room(LocalRoom):
    """A room whose processes know this family."""

    module: ClassVar[str] = "benchmarks.training_round"


def train_round(asked: Asked) -> Line:
    """Train nothing, several times, in a room that is ready."""
    register()
    added = numbers(asked.rows)
    plaintext_s, expected = timed(lambda: np.sum([added] * len(OWNERS), axis=0), asked.runs)
    job = {
        "job": {"name": "nothing", "purpose": "measure", "rows": "SELECT x FROM rows"},
        "model": {"kind": "nothing", "numbers": asked.rows},
    }
    with Room(contract(), {"rows": rows()}) as room:
        room.train(job)
        before = cpu_seconds(room)
        trained = [room.train(job) for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / (asked.runs * ROUNDS)
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
    models: list[Any] = [one.model for one in trained]
    seconds = tuple(s for model in models for s in model.seconds)
    sent = 8 * asked.rows
    measured = Measured(seconds, cpu_s, (sent,) * 3, 1, max(peaks), sum(peaks), models)
    limit_s = machine().limit_seconds(measured, over_network=True)
    correct = all(np.abs(model.last - expected).max() < 1e-12 for model in models)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)


ROOMS = {"train_round": train_round}
SIZES = {"train_round": (71_000, 1_000_000)}


def rows() -> dict[str, pd.DataFrame]:
    """Return a few rows for each owner."""
    return {name: pd.DataFrame({"person": range(20), "x": range(20)}) for name in OWNERS}


def contract() -> dict[str, Any]:
    """Return the terms of the room."""
    columns = {
        "person": {"type": "INTEGER", "bounds": [0, 99]},
        "x": {"type": "INTEGER", "bounds": [0, 99], "rights": {"analyst": ["train"]}},
    }
    return {
        "room": {
            "name": "rounds",
            "version": 1,
            "purpose": "benchmarks",
            "lawful_basis": "mock data",
            "retention_days": 1,
            "expires": dt.date.today() + dt.timedelta(days=1),
        },
        "coordinator": {"address": "127.0.0.1:7300"},
        "members": {
            **{name: {"roles": ["input"]} for name in OWNERS},
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 1},
        "tables": {
            "rows": {
                "members": list(OWNERS),
                "person": "person",
                "max_rows_per_person": 1,
                "max_rows": 64,
                "columns": columns,
            },
        },
    }


def register() -> None:
    """Let this process train nothing."""
    FAMILIES["nothing"] = Family(Spec, train, Owner, Nothing, rounds=attrgetter("rounds"))


if __name__ == "__main__":
    from cleanroom.cli import main

    register()
    main()
