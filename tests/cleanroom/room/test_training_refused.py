"""Trainings over real channels in which somebody does what is not its part: refused by name."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import kept
import numpy as np
import pytest
from tiny_training import N, Parties, Room, Rows, in_room, make_room, plan_of, refused, train

from cleanroom.approval.book import Approvals
from cleanroom.approval.sheets import sheet_of
from cleanroom.engine import standard
from cleanroom.errors import (
    ApprovalNeeded,
    CleanroomError,
    DataMismatch,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
    PolicyDenied,
)
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import Job
from cleanroom.learning.step import Step
from cleanroom.party.party import PartyProcess
from cleanroom.party.training import Learning
from cleanroom.policy.own import OwnPolicy
from cleanroom.recipient.asking import Asker
from cleanroom.recipient.course import Course
from cleanroom.session.digest import Digest
from cleanroom.session.routes import CONVERSE
from cleanroom.session.statements import Finished, Statement
from cleanroom.transport.envelopes import Opening


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def members(home: Path) -> Room:
    return make_room(home)


def test_several_trainings_run_at_once(members: Room, home: Path) -> None:
    async def both(_: Parties) -> object:
        other = plan_of(members, rows="SELECT age, bmi, smoker, outcome FROM patients")
        return await asyncio.gather(
            train(members, plan_of(members)), train(members, other), train(members, other)
        )

    first, second, third = in_room(members, home, both)
    at = {"age": [50.0], "bmi": [20.0], "smoker": [1.0]}
    assert first.model.predict(at) == second.model.predict(at) == third.model.predict(at)


def test_a_training_waits_for_the_person_of_one_owner(members: Room, home: Path) -> None:
    plan, at = plan_of(members), {"age": [50.0], "bmi": [20.0], "smoker": [1.0]}

    async def work(_: Parties) -> list[object]:
        with kept.state(home / "west") as state:
            with pytest.raises(ApprovalNeeded, match="west: a person at west has to approve"):
                await train(members, plan)
            entry = Approvals(state).approve(plan.hash, 1, None)
            assert "logistic" in sheet_of(entry, members["west"].contract).text
            model = (await train(members, plan)).model
            with pytest.raises(ApprovalNeeded):
                await train(members, plan)
        return model.predict(at)

    policy = OwnPolicy(approval="person", approval_for=("training",))
    assert len(in_room(members, home, work, policy=policy)) == 1


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
        (
            {f"feature_{i}": np.ones(3) for i in range(3)} | {"target": np.ones(3)},
            PolicyDenied,
            "fewer than 5 persons",
        ),
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
        if self.out.member.name == "south":
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
