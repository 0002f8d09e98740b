"""A room of small trainings, all of it in this process, over real channels."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import kept
import numpy as np
import pytest
import tiny_room
import training

from cleanroom.coordinator.process import CoordinatorConfig, coordinate
from cleanroom.engine import standard
from cleanroom.errors import CleanroomError
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import Job
from cleanroom.learning.step import Step, Sums
from cleanroom.party.party import PartyProcess
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.own import OwnPolicy
from cleanroom.query.training import compile_training
from cleanroom.recipient.answers import TrainedModel
from cleanroom.recipient.asking import Asker
from cleanroom.recipient.course import Course
from cleanroom.session.member import Membership

Room = dict[str, Membership]
Parties = dict[str, PartyProcess]
N = 60


class Rows:
    """One owner's rows; it reads them when it is let."""

    def __init__(self, seed: int, change: Mapping[str, Any] | None = None) -> None:
        dice = np.random.default_rng(seed)
        ages = dice.integers(18, 90, N).astype(float)
        bmi, smoker = dice.uniform(15, 40, N), dice.integers(0, 2, N).astype(float)
        outcome = (dice.random(N) < ages / 100).astype(float)
        self._found = {"target": outcome, "feature_0": ages, "feature_1": bmi}
        self._found |= {"feature_2": smoker, **(change or {})}
        self.may_read = threading.Event()
        self.may_read.set()

    def run(self, sql: str, text_key: bytes) -> Mapping[str, Any]:
        del sql, text_key
        self.may_read.wait(60)
        return self._found

    def rows(self, table: str) -> int:
        del table
        return N

    def interrupt(self) -> None:
        self.may_read.set()


def make_room(home: Path) -> Room:
    """Have everybody sign a contract, and write what the coordinator needs."""
    return tiny_room.signed_room(training.contract(min_group=5), home)


def in_room(
    members: Room,
    home: Path,
    work: Callable[[Parties], Awaitable[object]],
    west: Rows | None = None,
    policy: OwnPolicy | None = None,
) -> Any:
    """Run the coordinator and the owners in this process.

    Args:
        west, policy: rows and own policy of the owner west.
    """

    async def run() -> object:
        config = CoordinatorConfig.load(home / "coordinator.toml")
        sources = {name: Rows(i) for i, name in enumerate(training.HOSPITALS)}
        sources["west"] = west or sources["west"]
        states = {name: kept.state(home / name) for name in sources}
        parties = {
            n: PartyProcess(
                members[n], standard(), s, states[n], policy=policy if n == "west" else None
            )
            for n, s in sources.items()
        }
        tasks = [asyncio.ensure_future(coordinate(config))]
        tasks += [asyncio.ensure_future(party.run()) for party in parties.values()]
        try:
            for party in parties.values():
                await asyncio.wait_for(party.ready.wait(), 60)
            return await asyncio.wait_for(work(parties), 60)
        finally:
            for source in sources.values():
                source.interrupt()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for state in states.values():
                state.close()

    return asyncio.run(run())


def plan_of(members: Room, **changed: object) -> TrainPlan:
    contract = members["university"].contract
    job = Job.of(training.job(**changed))
    return compile_training(job, contract.terms, contract.hash, "university")


async def train(
    members: Room,
    plan: TrainPlan,
    each: Callable[[Step], Step] = lambda step: step,
    progress: Callable[[str, str], None] = lambda *_: None,
) -> TrainedModel[Any]:
    spec = Job.read(plan.job).spec
    steps = _changed(FAMILIES[plan.kind].train(spec, plan.facts, None), each)
    course: Course[Any] = Course(steps, next(steps), None, lambda *_: None)
    asker = Asker(members["university"], standard())
    return await asker.train(plan, course, 60, progress)


def _changed(steps: Any, each: Callable[[Step], Step]) -> Any:
    step = next(steps)
    while True:
        sums: Sums = yield each(step)
        try:
            step = steps.send(sums)
        except StopIteration as end:
            return end.value


def refused(
    members: Room,
    home: Path,
    plan: TrainPlan | None = None,
    each: Callable[[Step], Step] = lambda step: step,
    west: Rows | None = None,
) -> CleanroomError:
    async def work(_: Parties) -> CleanroomError:
        with pytest.raises(CleanroomError) as caught:
            await train(members, plan or plan_of(members), each)
        return caught.value

    error: CleanroomError = in_room(members, home, work, west)
    return error
