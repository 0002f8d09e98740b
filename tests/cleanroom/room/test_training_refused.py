"""Trainings over real channels in which somebody does what is not its part: refused by name."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_room
import training

from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.coordinator.room import CoordinatorConfig, coordinate
from cleanroom.engine import standard
from cleanroom.errors import (
    CleanroomError,
    DataMismatch,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
    PolicyDenied,
)
from cleanroom.identity.identity import Identity
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import Job
from cleanroom.learning.step import Step, Sums
from cleanroom.party.party import PartyProcess
from cleanroom.party.training import Learning
from cleanroom.plan.training import TrainPlan
from cleanroom.query.training import compile_training
from cleanroom.recipient.answers import TrainedModel
from cleanroom.recipient.asking import Asker
from cleanroom.recipient.course import Course
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import CONVERSE
from cleanroom.session.statements import Finished, Statement
from cleanroom.transport.envelopes import Opening

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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def members(home: Path) -> Room:
    source = training.contract(min_group=5)
    (port,) = tiny_room.free_ports(1)
    source["coordinator"]["address"] = f"127.0.0.1:{port}"
    agreed = Terms.of(source)
    identities = {name: Identity.create(name) for name in (*agreed.members, "coordinator")}
    contract = Contract.draft(agreed, {n: i.public for n, i in identities.items()})
    for name in agreed.members:
        contract = contract.signed_by(identities[name])
    contract.save(home / "contract.json")
    identities["coordinator"].save(home / "coordinator")
    files = 'identity = "coordinator"\ncontract = "contract.json"\n'
    (home / "coordinator.toml").write_text(files)
    return {name: Membership(identity, contract) for name, identity in identities.items()}


def in_room(
    members: Room,
    home: Path,
    work: Callable[[Parties], Awaitable[object]],
    west: Rows | None = None,
) -> Any:
    """Run the coordinator and the owners in this process."""

    async def run() -> object:
        config = CoordinatorConfig.load(home / "coordinator.toml")
        sources = {name: Rows(i) for i, name in enumerate(training.HOSPITALS)}
        sources["west"] = west or sources["west"]
        parties = {n: PartyProcess(members[n], standard(), s) for n, s in sources.items()}
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


def test_several_trainings_run_at_once(members: Room, home: Path) -> None:
    async def both(_: Parties) -> object:
        other = plan_of(members, rows="SELECT age, bmi, smoker, outcome FROM patients")
        return await asyncio.gather(
            train(members, plan_of(members)), train(members, other), train(members, other)
        )

    first, second, third = in_room(members, home, both)
    at = {"age": [50.0], "bmi": [20.0], "smoker": [1.0]}
    assert first.model.predict(at) == second.model.predict(at) == third.model.predict(at)


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"purpose": "more"}, PlanMismatch, "compiled another plan"),
        ({"least": 2}, PlanMismatch, "compiled another plan"),
        ({"job": "{}"}, MessageInvalid, "no training job"),
        ({"owners": ("north", "south")}, PlanMismatch, "compiled another plan"),
    ],
)
def test_a_plan_that_owners_do_not_compile_themselves_is_refused(
    members: Room, home: Path, changed: dict[str, Any], kind: type[CleanroomError], says: str
) -> None:
    plan = plan_of(members)

    async def work(_: Parties) -> CleanroomError:
        spec = Job.read(plan.job).spec
        steps = FAMILIES[plan.kind].train(spec, plan.facts, None)
        course: Course[Any] = Course(steps, next(steps), None, lambda *_: None)
        asker = Asker(members["university"], standard())
        with pytest.raises(kind) as caught:
            await asker.train(replace(plan, **changed), course, 60, lambda *_: None)
        return caught.value

    assert says in in_room(members, home, work).message


@pytest.mark.parametrize(
    ("each", "kind", "says"),
    [
        (lambda step: replace(step, name="dump"), CleanroomError, "a step of a name"),
        (lambda step: replace(step, round=99), PeerMisbehaved, "more than 31 rounds"),
        (lambda step: replace(step, answer=step.answer[:1]), CleanroomError, "another shape"),
    ],
)
def test_a_recipient_that_asks_for_other_sums_is_named(
    members: Room,
    home: Path,
    each: Callable[[Step], Step],
    kind: type[CleanroomError],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cleanroom.recipient.training import Conducting

    monkeypatch.setattr(Conducting, "_check", lambda *_: None)
    error = refused(members, home, each=each)
    assert isinstance(error, kind)
    assert says in error.message
    assert error.party == "university"


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"feature_1": np.full(N, np.nan)}, DataMismatch, "bmi: missing"),
        ({"feature_1": np.full(N, np.inf)}, DataMismatch, "bmi"),
        ({"feature_0": np.full(N, 111.0)}, DataMismatch, "age: a value beyond"),
        ({"target": np.full(N, 0.5)}, DataMismatch, "outcome"),
        ({f"feature_{i}": np.ones(3) for i in range(3)} | {"target": np.ones(3)}, PolicyDenied,
         "fewer than 5 persons"),
    ],
)
def test_an_owner_whose_rows_cannot_train_is_named(
    members: Room, home: Path, change: dict[str, Any], kind: type[CleanroomError], says: str
) -> None:
    error = refused(members, home, west=Rows(3, change))
    assert isinstance(error, kind)
    assert says in error.message
    assert error.party == "west"


def test_an_owner_that_signs_other_answers_than_it_sent_is_named(
    members: Room, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Learning._converse

    async def lying(self: Learning, *args: Any) -> Any:
        asked, digest = await whole(self, *args)
        if self.member.name == "south":
            digest = Digest("0" * 64)
        return asked, digest

    monkeypatch.setattr(Learning, "_converse", lying)
    error = refused(members, home)
    assert isinstance(error, PeerMisbehaved)
    assert (error.party, error.message) == ("south", "signed other answers than it sent")


def test_an_owner_that_leaves_before_it_signs_is_named(
    members: Room, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PartyProcess._report

    async def report(self: PartyProcess, statement: Statement) -> None:
        if isinstance(statement, Finished) and statement.party == "south":
            await self._attended().close()
        else:
            await whole(self, statement)

    monkeypatch.setattr(PartyProcess, "_report", report)
    error = refused(members, home)
    assert isinstance(error, PeerUnavailable)
    assert (error.party, error.message) == ("south", "left before it signed what it did")


def test_an_owner_that_is_silent_counts_as_one_that_left(members: Room, home: Path) -> None:
    silent = Rows(3)
    silent.may_read.clear()
    error = refused(members, home, plan_of(members, patience_s=1), west=silent)
    assert isinstance(error, PeerUnavailable)
    assert error.party == "west"
    assert "didn't answer in 1 s" in error.message


@pytest.mark.parametrize(
    ("who", "place", "says"),
    [
        ("north", 0, "called before"),
        ("north", 2, "has no part"),
        ("university", 1, "called before"),
    ],
)
def test_whoever_calls_late_or_for_another_is_refused(
    members: Room, home: Path, who: str, place: int, says: str
) -> None:
    silent = Rows(3)
    silent.may_read.clear()

    async def work(parties: Parties) -> CleanroomError:
        begun = asyncio.Event()

        def told(stage: str, member: str) -> None:
            if (stage, member) == ("training", "north"):
                begun.set()

        asked = asyncio.ensure_future(train(members, plan_of(members), progress=told))
        await begun.wait()
        (run,) = parties["west"]._sessions._running.values()
        request = run.request
        async with members[who].dial("coordinator") as channel:
            call = channel.open(CONVERSE)
            opening = Opening(request.session, request.plan_hash, leaf=place)
            await call.send(opening.to_bytes())
            with pytest.raises(NotAuthorised) as caught:
                await call.finish()
        silent.may_read.set()
        await asked
        return caught.value

    assert says in in_room(members, home, work, silent).message
