"""Scorings over real channels in which somebody does what is not its part: refused, and by name."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import kept
import numpy as np
import pytest
import scoring
import tiny_room
from scoring import MODEL, TABLE

from cleanroom.budget.scored import Daily, count, counted
from cleanroom.coordinator.piping import Pipe
from cleanroom.coordinator.process import CoordinatorConfig, coordinate
from cleanroom.engine import standard
from cleanroom.errors import (
    CleanroomError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
    PolicyDenied,
)
from cleanroom.identity.exchange import Exchange
from cleanroom.party.answering import Answering, ScoreRun
from cleanroom.party.party import PartyProcess
from cleanroom.party.weights import Weights
from cleanroom.plan.scoring import ScorePlan
from cleanroom.query.scoring import compile_scoring
from cleanroom.recipient.answers import Answer
from cleanroom.recipient.asking import Asker
from cleanroom.recipient.requests import request_for
from cleanroom.recipient.scores import Scores
from cleanroom.session.member import Membership
from cleanroom.session.routes import ADD, CONVERSE
from cleanroom.session.statements import Finished, Request, Ruling, Statement
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import Opening

Room = dict[str, Membership]
N = 5
MODELS = {MODEL: Weights((2100, -31, 100), 7)}  # of age, balance in pence, frozen


def columns(n: int = N) -> dict[str, np.ndarray]:
    rows = np.arange(n, dtype=np.int64)
    features = {"feature_0": rows % 131, "feature_1": 100 * rows, "feature_2": rows % 2}
    return {"person": rows, **features}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scoring")


@pytest.fixture(scope="module")
def members(home: Path) -> Room:
    return tiny_room.signed_room(scoring.contract(kind="linear", weight_decimals=0), home)


def in_room(
    members: Room,
    home: Path,
    work: Callable[[PartyProcess], Awaitable[object]],
) -> object:
    """Run the coordinator and the model's owner in this process."""

    async def run() -> object:
        config = CoordinatorConfig.load(home / "coordinator.toml")
        owner, rows = members["bank_b"], tiny_room.Rows()
        state = kept.state(home / owner.name)
        party = PartyProcess(owner, standard(), rows, state, MODELS)
        tasks = [asyncio.ensure_future(coordinate(config)), asyncio.ensure_future(party.run())]
        try:
            await asyncio.wait_for(party.ready.wait(), 60)
            result = await asyncio.wait_for(work(party), 120)
            while len(party._sessions):
                await asyncio.sleep(0.01)
            return result
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            state.close()

    return asyncio.run(run())


def plan_of(members: Room, asker: str = "bank_a") -> ScorePlan:
    contract = members["bank_a"].contract
    return compile_scoring(MODEL, TABLE, contract.terms, contract.hash, asker)


async def ask(members: Room, plan: ScorePlan | None = None, n: int = N) -> Answer:
    asker = Asker(members["bank_a"], standard())
    return await asker.score(plan or plan_of(members), columns(n), 60, lambda *_: None)


def refused(members: Room, home: Path, plan: ScorePlan | None = None) -> CleanroomError:
    async def work(_: PartyProcess) -> CleanroomError:
        with pytest.raises(CleanroomError) as caught:
            await ask(members, plan)
        return caught.value

    return in_room(members, home, work)


@pytest.mark.parametrize("n", [1, N, 8191, 8192])
def test_linear_scores_are_exact(members, home, n: int) -> None:
    answer = in_room(members, home, lambda _: ask(members, n=n))
    age, pence, frozen = (columns(n)[f"feature_{i}"] for i in range(3))
    plain = (2100 * age - 31 * pence + 100 * frozen + 7) / 100
    assert answer.table["score"].to_pylist() == plain.tolist()


def test_several_scorings_run_at_once(members, home) -> None:
    async def both(_: PartyProcess) -> list[Answer]:
        return list(await asyncio.gather(ask(members), ask(members, n=3)))

    assert [answer.table.num_rows for answer in in_room(members, home, both)] == [N, 3]


# --- a coordinator that does what is not its part ------------------------------------------


Frame = bytes | None


def _relays(change: Callable[[Frame], Frame], sender: str, monkeypatch: object) -> None:
    """Let the coordinator change every frame that a member sends."""
    whole = Pipe.join

    async def join(pipe: Pipe, call: Call, place: int) -> None:
        receive = call.receive

        async def changed() -> Frame:
            return change(await receive())

        if call.peer == sender:
            call.receive = changed
        await whole(pipe, call, place)

    monkeypatch.setattr(Pipe, "join", join)


def _flipped(frame: Frame) -> Frame:
    return frame and frame[:-1] + bytes([frame[-1] ^ 1])


class _Repeating:
    """Puts the first message in the place of every later one."""

    def __init__(self) -> None:
        self._first: Frame = None

    def __call__(self, frame: Frame) -> Frame:
        self._first = self._first or frame
        return frame and self._first


@pytest.mark.parametrize("sender", ["bank_a", "bank_b"])
def test_a_flipped_bit_is_not_scored(members, home, monkeypatch, sender: str) -> None:
    _relays(_flipped, sender, monkeypatch)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, f"{sender} or coordinator")
    assert "relayed another than was sent" in error.message


def test_a_repeated_column_is_not_scored(members, home, monkeypatch) -> None:
    _relays(_Repeating(), "bank_a", monkeypatch)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a or coordinator")


@pytest.mark.parametrize("sender", ["bank_a", "bank_b"])
def test_what_is_cut_short_is_not_scored(members, home, monkeypatch, sender: str) -> None:
    _relays(lambda _: None, sender, monkeypatch)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, f"{sender} or coordinator")


# --- a model's owner that does what is not its part ----------------------------------------


def _under_another_key(monkeypatch) -> None:
    whole = Answering.play

    async def play(answering: Answering, run: ScoreRun) -> None:
        await whole(answering, replace(run, exchange=Exchange()))

    monkeypatch.setattr(Answering, "play", play)


def _for_another_session(monkeypatch) -> None:
    whole = Answering._score

    def score(answering, block, model, binding, recipient):
        return whole(answering, block, model, "another", recipient)

    monkeypatch.setattr(Answering, "_score", score)


def _answers_garbage(monkeypatch) -> None:
    monkeypatch.setattr(Answering, "_score", lambda *_: bytes(1000))


def _signs_another(monkeypatch) -> None:
    whole = PartyProcess._report

    async def report(party: PartyProcess, statement: Statement) -> None:
        if isinstance(statement, Finished):
            statement = statement.model_copy(update={"digest": "0" * 64})
        await whole(party, statement)

    monkeypatch.setattr(PartyProcess, "_report", report)


@pytest.mark.parametrize(
    ("cheat", "blamed", "says"),
    [
        (_under_another_key, "bank_a or coordinator", "another message than was due"),
        (_for_another_session, "bank_b", "not for this block and binding"),
        (_answers_garbage, "bank_b", "its scores are refused"),
        (_signs_another, "bank_b", "signed other scores than it sent"),
    ],
)
def test_answers_that_are_not_to_these_rows_are_not_opened(
    members, home, monkeypatch, cheat: Callable[[object], None], blamed: str, says: str
) -> None:
    cheat(monkeypatch)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, blamed)
    assert says in error.message


def test_a_ruling_without_a_key_is_refused(members, home, monkeypatch) -> None:
    whole = PartyProcess._report

    async def report(party: PartyProcess, statement: Statement) -> None:
        if isinstance(statement, Ruling):
            statement = statement.model_copy(update={"exchange": None})
        await whole(party, statement)

    monkeypatch.setattr(PartyProcess, "_report", report)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_b")
    assert "without a key" in error.message


# --- rows' owners that ask for what they may not -------------------------------------------


def test_garbage_is_not_scored(members, home, monkeypatch) -> None:
    async def garbage(scores: Scores, talk: object, call: object) -> None:
        for _ in range(3):
            await talk.send(bytes(1000))
        await call.last()

    monkeypatch.setattr(Scores, "_send", garbage)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a")
    assert "what it encrypted is refused" in error.message


def test_fewer_columns_than_agreed_are_not_scored(members, home, monkeypatch) -> None:
    async def few(scores: Scores, talk: object, call: object) -> None:
        await talk.send(next(iter(scores._encrypting.blocks())).parts[0])
        await call.last()

    monkeypatch.setattr(Scores, "_send", few)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a or coordinator")


@pytest.mark.parametrize(
    "change", [{"score_decimals": 9}, {"max_rows": 1 << 20}, {"read_sql": "SELECT 1"}]
)
def test_the_models_owner_answers_no_plan_but_its_own(members, home, change) -> None:
    error = refused(members, home, replace(plan_of(members), **change))
    assert (type(error), error.party) == (PlanMismatch, "bank_b")


def test_the_models_owner_rules_for_itself(members, home) -> None:
    """Its own process refuses too, whatever the client's software lets through."""
    contract = members["bank_a"].contract
    plan = compile_scoring("bank_b.ages", "visits", contract.terms, contract.hash, "bank_a")
    rows = {"person": np.arange(3), "feature_0": np.arange(3)}

    async def work(_: PartyProcess) -> CleanroomError:
        asker = Asker(members["bank_a"], standard())
        with pytest.raises(CleanroomError) as caught:
            await asker.score(plan, rows, 60, lambda *_: None)
        return caught.value

    error = in_room(members, home, work)
    assert (type(error), error.party) == (PolicyDenied, "bank_b")
    assert "may not score visits for bank_a" in error.message


def test_rows_are_counted_until_the_day_is_over(members, home) -> None:
    async def work(_: PartyProcess) -> CleanroomError:
        with kept.state(home / "bank_b") as state:
            today = dt.datetime.now(dt.UTC).date()
            with state.writing() as batch:
                daily = Daily("scored", MODEL, "bank_a")
                count(batch, daily, today, 90_000 - counted(batch, daily, today))
        with pytest.raises(PolicyDenied) as caught:
            await ask(members, n=1 << 14)
        return caught.value

    error = in_room(members, home, work)
    assert "16384 rows to score after 90000 today" in error.message


@pytest.mark.parametrize("others", [("bank_a",), ("bank_b", "bank_a"), ("bank_b", "bank_b")])
def test_a_scoring_has_one_other_member(members, home, monkeypatch, others) -> None:
    def request(*asked: object) -> Request:
        return request_for(*asked).model_copy(update={"members": others})

    monkeypatch.setattr("cleanroom.recipient.asking.request_for", request)
    error = refused(members, home)
    assert isinstance(error, MessageInvalid | PeerUnavailable)


# --- calls that are not the caller's -------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "route", "kind", "says"),
    [
        ("shop", CONVERSE, NotAuthorised, "no part in this session"),
        ("bank_b", CONVERSE, NotAuthorised, "called before"),
        ("bank_a", ADD, MessageInvalid, "no such session on ciphertexts"),
    ],
)
def test_calls_that_are_not_the_callers_are_refused(
    members, home, monkeypatch, who: str, route: str, kind: type, says: str
) -> None:
    async def work(_: PartyProcess) -> CleanroomError:
        loop, joined, whole = asyncio.get_running_loop(), asyncio.Event(), Pipe.join
        requests: list[Request] = []

        async def join(pipe: Pipe, call: Call, place: int) -> None:
            if call.peer == "bank_b" and not requests:
                requests.append(pipe.request)
                loop.call_soon(joined.set)
            await whole(pipe, call, place)

        async def nothing(*_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(Pipe, "join", join)
        monkeypatch.setattr(Scores, "_send", nothing)
        asked = asyncio.ensure_future(ask(members))
        await joined.wait()
        async with members[who].dial("coordinator") as channel:
            call = channel.open(route)
            await call.send(Opening(requests[0].session, requests[0].plan_hash).to_bytes())
            with pytest.raises(kind) as caught:
                await call.finish()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return caught.value

    assert says in in_room(members, home, work).message
