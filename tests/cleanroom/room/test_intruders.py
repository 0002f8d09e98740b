"""Members that do what is not theirs to do, over real channels to parties in this process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_room

from cleanroom.engine import participants
from cleanroom.errors import (
    CleanroomError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PlanMismatch,
    RequestReplayed,
    SessionCancelled,
)
from cleanroom.recipient.asking import Asker
from cleanroom.session.member import Membership
from cleanroom.session.routes import ATTEND, COLLECT, CONTRIBUTE, ROUNDS, SUBMIT
from cleanroom.session.statements import Failed, Request, new_session, sign
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import Opening, Progress, pack, unpack
from cleanroom.transport.frames import encode

Room = dict[str, Membership]


def in_room(room: Room, folder: Path, work: Callable[[dict], Awaitable[object]]) -> object:
    async def run() -> object:
        async with tiny_room.running(room, folder) as parties:
            result = await asyncio.wait_for(work(parties), 20)
            for party in parties.values():
                while len(party._sessions):
                    await asyncio.sleep(0.01)
            return result

    return asyncio.run(run())


def ask(room: Room, sql: str, deadline_s: int = 30, **kwargs) -> Request:
    contract = room["analyst"].contract
    plan = tiny_room.plan_of(sql, contract)
    fields = {
        "session": new_session(),
        "contract_hash": contract.hash,
        "recipient": "analyst",
        "sql": sql,
        "plan_hash": plan.hash,
        "members": participants(plan, contract.terms),
        "issued_at": int(time.time()),
        "deadline_s": deadline_s,
    }
    return Request(**{**fields, **kwargs})


async def submit(room: Room, request: Request, by: str = "analyst", signer: str = "analyst"):
    """Submit a request and return the first error that comes back, signed or not."""
    async with room[by].dial("coordinator") as channel:
        call = channel.open(SUBMIT)
        await call.send(pack(sign(room[signer].identity, request)))
        return await error_of(call)


async def error_of(call: Call) -> CleanroomError | None:
    try:
        while await call.receive() is not None:
            pass
    except CleanroomError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("changes", "by", "signer", "expected"),
    [
        ({}, "bank_a", "analyst", NotAuthorised),
        ({}, "analyst", "bank_a", NotAuthorised),
        ({"issued_at": 1}, "analyst", "analyst", RequestReplayed),
        ({"plan_hash": "0" * 64}, "analyst", "analyst", PlanMismatch),
        ({"contract_hash": "0" * 64}, "analyst", "analyst", MessageInvalid),
        ({"members": ("bank_a", "bank_b", "bank_c", "hospital")}, "analyst", "analyst",
         PlanMismatch),
    ],
)
def test_a_request_that_is_not_right_is_refused(
    room, folder, changes: dict, by: str, signer: str, expected: type
) -> None:
    async def refused(_: dict) -> CleanroomError | None:
        return await submit(room, ask(room, "add 1 of bank_a", **changes), by, signer)

    assert type(in_room(room, folder, refused)) is expected


def test_a_replayed_request_is_refused_by_coordinator_and_parties(room, folder) -> None:
    async def replay(parties: dict) -> None:
        request = ask(room, "crash 1 of bank_a")
        await submit(room, request)
        assert isinstance(await submit(room, request), RequestReplayed)
        with pytest.raises(RequestReplayed):
            parties["bank_a"]._replays.check(request)

    in_room(room, folder, replay)


def test_a_member_can_not_state_in_anothers_name(room, folder) -> None:
    async def forge(_: dict) -> CleanroomError | None:
        async with room["analyst"].dial("coordinator") as channel:
            call = channel.open(ATTEND)
            unpack(await call.receive())
            fields = {"code": "x", "blamed": "", "message": "", "remedy": ""}
            failed = Failed(session=new_session(), party="bank_a", **fields)
            await call.send(pack(sign(room["analyst"].identity, failed)))
            return await error_of(call)

    assert isinstance(in_room(room, folder, forge), NotAuthorised)


def test_a_second_process_of_a_member_may_not_attend(room, folder) -> None:
    async def second(_: dict) -> CleanroomError | None:
        async with room["bank_a"].dial("coordinator") as channel:
            return await error_of(channel.open(ATTEND))

    assert isinstance(in_room(room, folder, second), NotAuthorised)


async def begun(room: Room, call: Call, sql: str = "add 1000000 of bank_a") -> Request:
    """Begin a long session and return once all three compute."""
    request = ask(room, sql)
    await call.send(pack(sign(room["analyst"].identity, request)))
    computing = set()
    while len(computing) < 3:
        match unpack(await call.receive()):
            case Progress(member=member, stage="computing"):
                computing.add(member)
    return request


@pytest.mark.parametrize(
    ("who", "route", "leaf", "says"),
    [
        ("bank_b", COLLECT, 0, "not the recipient"),
        ("hospital", ROUNDS, 0, "not a computing peer"),
        ("bank_c", ROUNDS, 0, "second stream"),
        ("hospital", CONTRIBUTE, 0, "isn't its own"),
        ("hospital", CONTRIBUTE, 99, "isn't its own"),
    ],
)
def test_calls_that_are_not_the_callers_are_refused(
    room, folder, who: str, route: str, leaf: int, says: str
) -> None:
    async def intrude(_: dict) -> CleanroomError | None:
        async with room["analyst"].dial("coordinator") as channel:
            request = await begun(room, channel.open(SUBMIT))
            async with room[who].dial("bank_a" if who != "bank_a" else "bank_b") as intruder:
                call = intruder.open(route)
                opening = Opening(request.session, request.plan_hash, leaf, 128, 10)
                await call.send(opening.to_bytes())
                return await error_of(call)

    error = in_room(room, folder, intrude)
    assert isinstance(error, NotAuthorised)
    assert says in error.message
    assert error.party == who


def test_who_accepted_another_plan_for_a_session_is_refused(room, folder) -> None:
    """A recipient may sign two requests with one session id; no row is shared for the wrong one."""

    async def confuse(_: dict) -> list[CleanroomError | None]:
        async with room["analyst"].dial("coordinator") as channel:
            request = await begun(room, channel.open(SUBMIT))
            errors = []
            for who, route in (("bank_a", CONTRIBUTE), ("bank_a", ROUNDS), ("analyst", COLLECT)):
                async with room[who].dial("bank_b") as dialled:
                    call = dialled.open(route)
                    await call.send(Opening(request.session, "0" * 64, 0, 128, 10).to_bytes())
                    errors.append(await error_of(call))
            return errors

    for error in in_room(room, folder, confuse):
        assert isinstance(error, PlanMismatch)


@pytest.mark.parametrize("garbage", ["twice", "garbage", "long"])
def test_a_computing_peer_that_sends_what_it_may_not_is_named(
    room, folder, garbage: str
) -> None:
    vector = np.zeros(8, np.uint64)
    bad = {
        "twice": [*encode("g", vector), *encode("g", vector)],
        "garbage": [b"\xff" * 40],
        "long": [next(encode("g", vector)) + bytes(8)],
    }[garbage]

    async def misbehave(parties: dict) -> CleanroomError | None:
        parties["bank_b"]._roles.play = lambda session: asyncio.Event().wait()
        async with room["analyst"].dial("coordinator") as channel:
            call = channel.open(SUBMIT)
            request = ask(room, "add 5 of bank_a")
            await call.send(pack(sign(room["analyst"].identity, request)))
            async with room["bank_b"].dial("bank_c") as peer:
                rounds = peer.open(ROUNDS)
                for message in (Opening(request.session, request.plan_hash).to_bytes(), *bad):
                    await rounds.send(message)
                return await error_of(call)

    error = in_room(room, folder, misbehave)
    assert isinstance(error, PeerMisbehaved)
    assert error.party == "bank_b"


def test_an_outcome_is_collected_once(room, folder) -> None:
    """S47: a second fetch is refused."""

    async def twice(_: dict) -> list[CleanroomError | None]:
        async with room["analyst"].dial("coordinator") as channel:
            call = channel.open(SUBMIT)
            request = await begun(room, call, "add 300 of bank_a")
            async with room["analyst"].dial("bank_a") as peer:
                calls = [peer.open(COLLECT) for _ in range(2)]
                for collect in calls:
                    await collect.send(Opening(request.session, request.plan_hash).to_bytes())
                return list(await asyncio.gather(*(error_of(c) for c in calls)))

    first, second = in_room(room, folder, twice)
    assert {type(first), type(second)} == {type(None), NotAuthorised}


def test_a_recipient_that_leaves_ends_the_session_and_nothing_stays(room, folder) -> None:
    async def leave(parties: dict) -> int:
        before = len(asyncio.all_tasks())
        async with room["analyst"].dial("coordinator") as channel:
            request = await begun(room, channel.open(SUBMIT))
        while any(len(party._sessions) for party in parties.values()):
            await asyncio.sleep(0.01)
        with pytest.raises(SessionCancelled):
            await parties["bank_a"]._sessions.find(request.session)
        await Asker(room["analyst"], tiny_room.tiny_engine()).online()
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0.01)
        return len(asyncio.all_tasks()) - before

    assert in_room(room, folder, leave) <= 0  # some may just be telling others of their logs
