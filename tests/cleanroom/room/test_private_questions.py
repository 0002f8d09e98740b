"""Private questions over real channels: exact answers, and every way in which one is refused."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_room
from private import shifted
from tiny_room import in_room

from cleanroom.coordinator.summing import Summing
from cleanroom.errors import (
    CleanroomError,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
)
from cleanroom.party.encrypting import Encrypting
from cleanroom.party.party import PartyProcess
from cleanroom.party.query_run import QueryRun
from cleanroom.recipient.answers import Answer
from cleanroom.recipient.questioning import Questioning
from cleanroom.session.contributing import Bound, written
from cleanroom.session.member import Membership
from cleanroom.session.routes import ADD
from cleanroom.session.statements import Request
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import Opening
from protocols.he.bfv import SecretKey
from protocols.he.parameters import FILTER, FILTER_WIDE
from protocols.he.private_filter import Asking

Room = dict[str, Membership]
Parties = dict[str, PartyProcess]
Change = Callable[[Encrypting], None]
Cheat = Callable[[pytest.MonkeyPatch], None]
TWO = "seek 2 of bank_a hospital"
FOUR = "seek 5 of bank_a bank_b bank_c hospital"
SOUGHT = (3, 7)
TOTAL = sum(x for x in range(100) if x % 10 in SOUGHT)  # of one owner


async def ask(room: Room, sql: str, sought: tuple[int, ...] = SOUGHT) -> Answer:
    weights = np.zeros(10, dtype=np.int64)
    weights[list(sought)] = 1
    return await tiny_room.ask(room, sql, "he", weights)


async def error_of(room: Room, sql: str = TWO) -> CleanroomError:
    with pytest.raises(CleanroomError) as caught:
        await ask(room, sql)
    return caught.value


@pytest.mark.parametrize(("sql", "owners"), [(TWO, 2), (FOUR, 4), ("seek 1 of bank_b", 1)])
def test_the_total_of_what_is_sought_is_exact_and_signed(
    room, folder, sql: str, owners: int
) -> None:
    answer = in_room(room, folder, lambda _: ask(room, sql))
    table = answer.table.to_pydict()
    assert set(np.concatenate(list(table.values()))) == {owners * TOTAL}
    assert len(table) == int(sql.split()[1])
    statements = answer.receipt.verify(room["analyst"].contract)
    assert {s.speaker for s in statements} == {*sql.split()[3:], "analyst"}


def test_one_plan_asks_for_anything_and_says_nothing_of_it(room, folder) -> None:
    async def work(_: Parties) -> list[Answer]:
        return [await ask(room, TWO, sought) for sought in ((), (1,), tuple(range(10)))]

    answers = in_room(room, folder, work)
    assert [a.table["x0"][0].as_py() for a in answers] == [0, 2 * 460, 2 * 4950]
    requests = [a.receipt.verify(room["analyst"].contract)[0] for a in answers]
    assert all(isinstance(r, Request) for r in requests)
    assert len({(r.sql, r.plan_hash) for r in requests}) == 1
    assert len({r.encryption.key_id for r in requests}) == 3
    assert len({a.stats.bytes_sent // 1000 for a in answers}) == 1


# --- an owner that does what is not its part -----------------------------------------------------


def refused(room: Room, folder: Path, change: Change) -> CleanroomError:
    """Ask while bank_a answers with something changed, and signs what it sent."""

    async def play(party: PartyProcess, session: QueryRun) -> None:
        async with Encrypting(party._member, session, party._attended()) as encrypting:
            await encrypting.agree()
            change(encrypting)
            sent = await encrypting.send(np.zeros(20, np.int64))
        await party._roles.out.finished(
            session, "input", sent.hexdigest(), rows=0, bytes_sent=0, started=0.0
        )

    async def work(parties: Parties) -> CleanroomError:
        party = parties["bank_a"]
        party._roles.play = lambda session: play(party, session)
        return await error_of(room)

    return in_room(room, folder, work)


def _made(encrypting: Encrypting, answers: Callable[[list[bytes]], list[bytes]]) -> None:
    whole = encrypting._part.made

    def made(numbers: np.ndarray, bound: Bound) -> object:
        return iter(answers(list(whole(numbers, bound))))

    encrypting._part.made = made


def _sends_garbage(encrypting: Encrypting) -> None:
    _made(encrypting, lambda answers: [bytes(len(answers[0])), *answers[1:]])


def _sends_too_few(encrypting: Encrypting) -> None:
    _made(encrypting, lambda answers: answers[:-1])


def _sends_too_many(encrypting: Encrypting) -> None:
    _made(encrypting, lambda answers: [*answers, answers[0]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_sends_garbage, "what it contributed is refused: not a key or ciphertext"),
        (_sends_too_few, "what it contributed is refused"),
        (_sends_too_many, "more ciphertexts than announced"),
    ],
)
def test_an_owner_that_sends_no_answers_is_named(room, folder, change: Change, says: str) -> None:
    error = refused(room, folder, change)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a")
    assert says in error.message


def _exchanges_answers(encrypting: Encrypting) -> None:
    _made(encrypting, lambda answers: answers[::-1])


def _with_another_seal(encrypting: Encrypting) -> None:
    encrypting._seal = bytes(32)


@pytest.mark.parametrize("change", [_exchanges_answers, _with_another_seal])
def test_answers_that_are_not_of_this_session_are_not_opened(room, folder, change: Change) -> None:
    error = refused(room, folder, change)
    assert type(error) is PeerMisbehaved
    assert "the sum is refused" in error.message
    assert "bank_a" in error.party.split(" or ")


def test_answers_to_another_question_are_refused_by_name(room, folder) -> None:
    def change(encrypting: Encrypting) -> None:
        masses = encrypting._part.question.masses
        other = Asking(np.ones(10, np.int64), 1, masses, b"c" * 32).question
        encrypting._part.take(written(other))

    error = refused(room, folder, change)
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a")
    assert "signed another contribution than it sent" in error.message


def test_an_owner_that_drops_out_ends_the_question_with_its_name(room, folder) -> None:
    async def leaves(party: PartyProcess, session: QueryRun) -> None:
        channel = party._member.dial("coordinator")
        call = channel.open(ADD)
        await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
        await receive_blob(call, 1 << 20)
        await channel.close()
        await asyncio.Event().wait()

    async def work(parties: Parties) -> CleanroomError:
        party = parties["bank_a"]
        party._roles.play = lambda session: leaves(party, session)
        return await error_of(room)

    error = in_room(room, folder, work)
    assert (type(error), error.party) == (PeerUnavailable, "bank_a")


# --- a coordinator that does what is not its part ------------------------------------------------


def _on_add(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Callable[[bytes], None], bytes, int], None]
) -> None:
    """Let the coordinator add something else: given how it adds, a ciphertext and how many came."""
    whole, seen = Summing._add, []

    def add(summing: Summing, place: int, ciphertext: bytes) -> None:
        seen.append(ciphertext)
        change(lambda data: whole(summing, place, data), ciphertext, len(seen))

    monkeypatch.setattr(Summing, "_add", add)


def _skips_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _on_add(monkeypatch, lambda add, data, n: add(data) if n != 5 else None)


def _counts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    _on_add(monkeypatch, lambda add, data, n: [add(data), add(data)])


def _shifts_a_total(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(add: Callable[[bytes], None], data: bytes, n: int) -> None:
        add(shifted(data, FILTER, 5) if n == 1 else data)

    _on_add(monkeypatch, change)


def _replays(monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[bytes] = []

    def change(add: Callable[[bytes], None], data: bytes, n: int) -> None:
        first.append(data)
        add(first[0] if n > 8 else data)

    _on_add(monkeypatch, change)


@pytest.mark.parametrize(
    ("cheat", "times"), [(_skips_one, 1), (_counts_twice, 1), (_shifts_a_total, 1), (_replays, 2)]
)
def test_a_sum_that_is_not_of_each_answer_once_is_not_opened(
    room, folder, monkeypatch: pytest.MonkeyPatch, cheat: Cheat, times: int
) -> None:
    async def work(_: Parties) -> CleanroomError:
        cheat(monkeypatch)
        for _ in range(times - 1):
            await ask(room, TWO)
        return await error_of(room)

    error = in_room(room, folder, work)
    assert type(error) is PeerMisbehaved
    assert "the sum is refused" in error.message
    assert {"coordinator", "bank_a"} < set(error.party.split(" or "))


def test_owners_answer_no_question_but_the_signed_one(
    room, folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coordinator that asks for itself, under a key that it holds."""
    whole = Summing.total

    async def swapped(summing: Summing, call: Call) -> None:
        receive = call.receive
        own = Asking(np.arange(10), 9, (10**6, 10**6, 1 << 40, 1 << 40), b"c" * 32).question

        async def another() -> bytes | None:
            await receive()
            call.receive = receive
            data = written(own)
            return len(data).to_bytes(8, "little") + data

        call.receive = another
        await whole(summing, call)

    monkeypatch.setattr(Summing, "total", swapped)
    error = in_room(room, folder, lambda _: error_of(room))
    assert (type(error), error.party) == (PeerMisbehaved, "coordinator")
    assert "another question than was signed" in error.message


# --- a recipient that asks otherwise -------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "kind", "says"),
    [
        (lambda parts: (bytes(1000),), PeerMisbehaved, "its question is none"),
        (lambda parts: (parts[0][:-1],), PeerMisbehaved, "its question is none"),
        (lambda parts: tuple(SecretKey(FILTER).public.data for _ in parts), PeerMisbehaved, "none"),
    ],
)
def test_a_question_that_is_none_names_who_asked(
    room, folder, monkeypatch: pytest.MonkeyPatch, parts: Callable, kind: type, says: str
) -> None:
    made = Questioning.__init__

    def init(self: Questioning, *given: object) -> None:
        made(self, *given)
        question = self._asking.question
        other = replace(question, parts=parts(question.parts))
        self.id, self.data = other.id, written(other)

    monkeypatch.setattr(Questioning, "__init__", init)
    error = in_room(room, folder, lambda _: error_of(room))
    assert (type(error), error.party) == (kind, "analyst")
    assert says in error.message


@pytest.mark.parametrize("field", ["n", "parameters"])
def test_a_request_for_other_answers_than_the_plans_is_refused(
    room, folder, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    made = Questioning.__init__

    def init(self: Questioning, *given: object) -> None:
        made(self, *given)
        self.n, self.parameters = (3, FILTER) if field == "n" else (self.n, FILTER_WIDE)

    monkeypatch.setattr(Questioning, "__init__", init)
    error = in_room(room, folder, lambda _: error_of(room))
    assert (type(error), error.party) == (PlanMismatch, "analyst")


def test_nobody_else_hands_out_a_question(room, folder) -> None:
    async def work(parties: Parties) -> CleanroomError:
        begun = asyncio.get_running_loop().create_future()

        async def waits(session: QueryRun) -> None:
            begun.set_result(session)
            await asyncio.Event().wait()

        parties["bank_a"]._roles.play = waits
        asked = asyncio.ensure_future(ask(room, TWO))
        session = await begun
        async with room["bank_b"].dial("coordinator") as channel:
            call = channel.open("Coordinator/Total")
            await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
            await send_blob(call, b"mine")
            with pytest.raises(NotAuthorised) as caught:
                await call.finish()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return caught.value

    assert in_room(room, folder, work).party == "bank_b"
