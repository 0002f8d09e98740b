"""Rehearsals: every member's ruling on a plan, and nothing else happens."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_room
from tiny_room import OWNERS, compile_tiny, in_room, make_room, plan_of, tiny_engine

from cleanroom.engine import Engine
from cleanroom.errors import PeerMisbehaved, PeerUnavailable, PolicyDenied
from cleanroom.party.party import PartyProcess
from cleanroom.plan.cost import Cost
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.question import Question
from cleanroom.plan.sheet import Sheet
from cleanroom.recipient.asking import Asker
from cleanroom.recipient.client import Client
from cleanroom.recipient.heard import Heard
from cleanroom.recipient.rehearsing import MemberRuling
from cleanroom.session.member import Membership
from cleanroom.session.statements import (
    Failed,
    Request,
    RuledViolation,
    Ruling,
    Statement,
    new_session,
    sign,
)


def planned(room: dict[str, Membership], sql: str, protocol: Protocol = "mpc") -> Plan:
    return plan_of(sql, room["analyst"].contract, protocol)


@pytest.mark.parametrize(
    ("sql", "protocol", "members"),
    [("add 1 of hospital", "mpc", (*OWNERS, "hospital")), ("total 3 of bank_a", "he", ("bank_a",))],
)
def test_every_member_rules_and_nobody_reads(
    room: dict[str, Membership],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    sql: str,
    protocol: str,
    members: tuple[str, ...],
) -> None:
    reads: list[str] = []
    monkeypatch.setattr(tiny_room.Rows, "run", lambda self, sql, key: reads.append(sql))

    async def work(_: dict[str, PartyProcess]) -> list[MemberRuling]:
        return await Asker(room["analyst"], tiny_engine()).rehearse(planned(room, sql, protocol))

    said = in_room(room, folder, work)
    assert {(ruling.member, str(ruling.verdict)) for ruling in said} == {
        (name, "accepted") for name in members
    }
    assert not reads


def test_refusals_faults_and_absence_are_told_of_each_member(tmp_path: Path) -> None:
    room = make_room(tmp_path, more=("clinic",))  # whose process isn't started

    def another(question: Question, *contract: object) -> Plan:
        return compile_tiny(replace(question, sql="add 9 of bank_a"), *contract)

    async def work(parties: dict[str, PartyProcess]) -> list[MemberRuling]:
        parties["bank_c"]._engine = changed(compile=another)
        plan = planned(room, "deny 1 of bank_a hospital clinic")
        return await Asker(room["analyst"], tiny_engine()).rehearse(plan)

    told = {ruling.member: ruling for ruling in in_room(room, tmp_path, work)}
    assert {name: str(ruling.verdict) for name, ruling in told.items()} == {
        "bank_a": "refused",
        "bank_b": "refused",
        "bank_c": "failed",
        "hospital": "refused",
        "clinic": "absent",
    }
    assert told["bank_c"].fault.code == "plan-mismatch"
    (violation,) = told["bank_a"].violations
    assert (violation.code, violation.remedy) == ("forbidden", "Ask for less.")


def changed(**functions: Callable[..., object]) -> Engine:
    return replace(tiny_engine(), **functions)


def test_a_room_that_can_not_be_reached_is_ruled_by_the_contract(
    room: dict[str, Membership],
) -> None:
    client = Client(room["analyst"], tiny_engine())
    sheet = Sheet("the sheet", "0" * 64, (), (), Cost(1, 1, 1, 1.0))
    try:
        told = client.explained(planned(room, "deny 1 of bank_a"), sheet, offline=False)
    finally:
        client.close()
    assert not told.accepted
    assert "nobody was asked (coordinator: it can't be reached" in told.text
    assert "forbidden: bank_b: x may not be used" in told.text
    assert "Remedy: Ask for less." in told.text


# --- a request that is refused for real ------------------------------------------------------


class Session:
    """What a recipient hears of one request, without a network."""

    def __init__(self, room: dict[str, Membership]) -> None:
        self._room = room
        contract_hash = room["analyst"].contract.hash
        self.request = Request(
            session=new_session(),
            contract_hash=contract_hash,
            recipient="analyst",
            sql="deny 1 of bank_a",
            plan_hash="0" * 64,
            members=OWNERS,
            issued_at=0,
            deadline_s=60,
        )
        self.heard = Heard(self.request, 4, [])

    def rules(self, name: str, *messages: str) -> None:
        self.states(
            name,
            Ruling(
                session=self.request.session,
                contract_hash=self.request.contract_hash,
                plan_hash=self.request.plan_hash,
                party=name,
                accepted=not messages,
                violations=tuple(
                    RuledViolation(
                        code="no", party="", message=text, remedy="Ask for less.", rule="privacy"
                    )
                    for text in messages
                ),
            ),
        )

    def fails(self, name: str) -> None:
        told = {"code": "peer-misbehaved", "blamed": name, "message": "no", "remedy": ""}
        self.states(name, Failed(session=self.request.session, party=name, **told))

    def states(self, name: str, statement: Statement) -> None:
        self.heard.add(sign(self._room[name].identity, statement), statement)


def test_one_error_lists_what_each_member_found(room: dict[str, Membership]) -> None:
    session = Session(room)
    session.rules("bank_a", "narrow", "y is ours")
    session.rules("bank_b")
    with pytest.raises(PolicyDenied) as caught:
        session.rules("bank_c", "narrow")
    assert caught.value.message == "bank_a, bank_c: narrow [privacy]; bank_a: y is ours [privacy]"
    assert (caught.value.party, caught.value.remedy) == ("bank_a, bank_c", "Ask for less.")


def test_a_refusal_is_told_even_if_others_fail_or_are_silent(room: dict[str, Membership]) -> None:
    session = Session(room)
    session.rules("bank_a", "narrow")
    with pytest.raises(PolicyDenied, match=r"narrow \[privacy\]; not ruled yet: bank_b, bank_c"):
        session.fails("bank_b")
    other = Session(room)
    with pytest.raises(PeerMisbehaved):
        other.fails("bank_b")


def test_a_refusal_waits_only_a_moment_for_a_silent_member(
    room: dict[str, Membership], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleanroom.recipient.heard.REFUSED_S", 0.1)

    async def never(_: Request) -> None:
        await asyncio.Event().wait()

    async def work(parties: dict[str, PartyProcess]) -> str:
        parties["bank_c"]._begin = never
        with pytest.raises(PolicyDenied) as caught:
            await tiny_room.ask(room, "deny 1 of bank_a", "mpc")
        return caught.value.message

    said = in_room(room, folder, work)
    assert said == "bank_b: x may not be used [privacy]; not ruled yet: bank_c"


def test_without_the_coordinator_there_is_no_rehearsal(room: dict[str, Membership]) -> None:
    asked = Asker(room["analyst"], tiny_engine()).rehearse(planned(room, "add 1 of bank_a"))
    with pytest.raises(PeerUnavailable):
        asyncio.run(asked)
