"""Sessions on ciphertexts over real channels: totals, and every way in which one is refused."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_room import ask, in_room

from cleanroom.coordinator.summing import Summing
from cleanroom.errors import (
    CleanroomError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
)
from cleanroom.identity.exchange import Exchange
from cleanroom.party.encrypting import Encrypting
from cleanroom.party.party import PartyProcess
from cleanroom.party.query_run import QueryRun
from cleanroom.recipient.decrypting import Decrypting
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import ADD, COLLECT, CONTRIBUTE, ROUNDS, TOTAL
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import Opening
from protocols.he.bfv import Encryptor, PublicKey, SecretKey
from protocols.he.parameters import SUM

Room = dict[str, Membership]
Parties = dict[str, PartyProcess]
Play = Callable[[PartyProcess, QueryRun], Awaitable[None]]
TWO = "total 3 of bank_a hospital"
FOUR = "total 9000 of bank_a bank_b bank_c hospital"


def refused(room: Room, folder: Path, play: Play | None = None) -> CleanroomError:
    """Ask while bank_a plays otherwise; return the error that the recipient gets."""

    async def work(parties: Parties) -> CleanroomError:
        party = parties["bank_a"]
        if play is not None:
            party._roles.play = lambda session: play(party, session)
        with pytest.raises(CleanroomError) as caught:
            await ask(room, TWO)
        return caught.value

    return in_room(room, folder, work)


@pytest.mark.parametrize(("sql", "owners"), [(TWO, 2), (FOUR, 4), ("total 1 of bank_b", 1)])
def test_the_total_of_all_is_exact_and_signed(room, folder, sql: str, owners: int) -> None:
    answer = in_room(room, folder, lambda _: ask(room, sql))
    table = answer.table.to_pydict()
    assert set(np.concatenate(list(table.values()))) == {owners * 4950}
    assert len(table) == int(sql.split()[1])
    statements = answer.receipt.verify(room["analyst"].contract)
    assert {s.speaker for s in statements} == {*sql.split()[3:], "analyst"}
    assert answer.stats.rounds == 0


def test_shares_and_ciphertexts_are_asked_in_one_room(room, folder) -> None:
    async def both(_: Parties) -> list[object]:
        shares = ask(room, "add 1 of bank_a bank_b", "mpc")
        return list(await asyncio.gather(ask(room, TWO), shares, ask(room, FOUR)))

    assert [len(answer.table) for answer in in_room(room, folder, both)] == [1, 128, 1]


# --- a contributor that does what is not its part ----------------------------------------


async def _opened(party: PartyProcess, session: QueryRun) -> tuple[Call, object]:
    member = party._member
    channel = member.dial("coordinator")
    call = channel.open(ADD)
    await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
    await receive_blob(call, 1 << 20)
    return call, channel


async def _sends_garbage(party: PartyProcess, session: QueryRun) -> None:
    call, _ = await _opened(party, session)
    await send_blob(call, bytes(1000))
    await call.finish()


async def _sends_too_much(party: PartyProcess, session: QueryRun) -> None:
    async with Encrypting(party._member, session, party._attended()) as encrypting:
        await encrypting.agree()
        encrypting._call.last = lambda: encrypting._call.send(b"more")
        await encrypting.send(np.zeros(3, np.int64))


async def _leaves(party: PartyProcess, session: QueryRun) -> None:
    _, channel = await _opened(party, session)
    await channel.close()
    await asyncio.Event().wait()


async def _signs_another(party: PartyProcess, session: QueryRun) -> None:
    async with Encrypting(party._member, session, party._attended()) as encrypting:
        await encrypting.agree()
        await encrypting.send(np.zeros(3, np.int64))
    other = hashlib.sha256(b"other").hexdigest()
    await party._roles.out.finished(session, "input", other, rows=0, bytes_sent=0, started=0.0)


@pytest.mark.parametrize(
    ("play", "kind", "says"),
    [
        (_sends_garbage, PeerMisbehaved, "what it contributed is refused: not a key or ciphertext"),
        (_sends_too_much, PeerMisbehaved, "more ciphertexts than announced"),
        (_leaves, PeerUnavailable, "the connection broke"),
        (_signs_another, PeerMisbehaved, "signed another contribution than it sent"),
    ],
)
def test_a_contributor_that_misbehaves_is_named(
    room, folder, play: Play, kind: type, says: str
) -> None:
    error = refused(room, folder, play)
    assert (type(error), error.party) == (kind, "bank_a")
    assert says in error.message


async def _contributes(
    party: PartyProcess, session: QueryRun, change: Callable[[Encrypting], None]
) -> None:
    """Contribute with something changed, and sign what was sent."""
    async with Encrypting(party._member, session, party._attended()) as encrypting:
        await encrypting.agree()
        change(encrypting)
        sent = await encrypting.send(np.zeros(3, np.int64))
    await party._roles.out.finished(
        session, "input", sent.hexdigest(), rows=0, bytes_sent=0, started=0.0
    )


def _under_another_key(encrypting: Encrypting) -> None:
    encrypting._part.key = SecretKey(SUM).public
    encrypting._part.prepare()


def _under_another_key_in_secret(encrypting: Encrypting) -> None:
    signed = encrypting._part.id

    class Posing(PublicKey):
        id = property(lambda _: signed)

    encrypting._part.key = Posing(SUM, SecretKey(SUM).public.data)
    encrypting._part.prepare()


def _with_other_masks(encrypting: Encrypting) -> None:
    encrypting._exchange = Exchange()


@pytest.mark.parametrize("change", [_under_another_key_in_secret, _with_other_masks])
def test_a_sum_that_is_not_of_this_session_is_not_opened(
    room, folder, change: Callable[[Encrypting], None]
) -> None:
    error = refused(room, folder, lambda party, session: _contributes(party, session, change))
    assert type(error) is PeerMisbehaved
    assert "the sum is refused" in error.message
    assert "bank_a" in error.party.split(" or ")


def test_a_contribution_under_another_key_is_refused_by_name(room, folder) -> None:
    error = refused(room, folder, lambda p, session: _contributes(p, session, _under_another_key))
    assert (type(error), error.party) == (PeerMisbehaved, "bank_a")


# --- a coordinator that does what is not its part ------------------------------------------


def _skips_one(monkeypatch) -> None:
    whole = Summing._add
    skipped: list[bytes] = []

    def add(summing: Summing, place: int, ciphertext: bytes) -> None:
        if skipped:
            whole(summing, place, ciphertext)
        skipped.append(ciphertext)

    monkeypatch.setattr(Summing, "_add", add)


def _counts_twice(monkeypatch) -> None:
    whole = Summing._add

    def add(summing: Summing, place: int, ciphertext: bytes) -> None:
        whole(summing, place, ciphertext)
        whole(summing, place, ciphertext)

    monkeypatch.setattr(Summing, "_add", add)


def _replays(monkeypatch) -> None:
    """Add what was contributed in an earlier session."""
    whole, seen = Summing._add, []

    def add(summing: Summing, place: int, ciphertext: bytes) -> None:
        seen.append(ciphertext)
        whole(summing, place, seen[0] if len(seen) > 2 else ciphertext)

    monkeypatch.setattr(Summing, "_add", add)


def _shifts_a_total(monkeypatch) -> None:
    """Add an encryption of its own: the public key passes through its hands."""
    whole = Summing._add

    def add(summing: Summing, place: int, ciphertext: bytes) -> None:
        fresh = place == len(summing._sums)
        whole(summing, place, ciphertext)
        if fresh:
            key = PublicKey(SUM, summing._key.result())
            (own,) = Encryptor(key).encrypt(np.array([5, 0, 0], dtype=np.uint64))
            whole(summing, place, own)

    monkeypatch.setattr(Summing, "_add", add)


def _changes_the_seal(monkeypatch) -> None:
    whole = Summing.add

    async def add(summing: Summing, call: Call) -> None:
        sealed = await summing._seals
        summing._seals = asyncio.get_running_loop().create_future()
        summing._seals.set_result(dict.fromkeys(sealed, bytes(32)))
        await whole(summing, call)

    monkeypatch.setattr(Summing, "add", add)


@pytest.mark.parametrize(
    ("cheat", "times"),
    [
        (_skips_one, 1),
        (_counts_twice, 1),
        (_replays, 2),
        (_shifts_a_total, 1),
        (_changes_the_seal, 1),
    ],
)
def test_a_sum_that_is_not_of_each_once_is_not_opened(
    room, folder, monkeypatch, cheat: Callable[[object], None], times: int
) -> None:
    async def work(_: Parties) -> CleanroomError:
        cheat(monkeypatch)
        for _ in range(times - 1):
            await ask(room, TWO)
        with pytest.raises(PeerMisbehaved) as caught:
            await ask(room, TWO)
        return caught.value

    error = in_room(room, folder, work)
    assert error.party == "coordinator or bank_a or hospital"
    assert "the sum is refused" in error.message


def test_owners_encrypt_under_no_key_but_the_signed_one(room, folder, monkeypatch) -> None:
    whole = Summing.total

    async def swapped(summing: Summing, call: Call) -> None:
        receive, key = call.receive, SecretKey(SUM).public.data

        async def another() -> bytes | None:
            await receive()
            call.receive = receive
            return len(key).to_bytes(8, "little") + key

        call.receive = another
        await whole(summing, call)

    monkeypatch.setattr(Summing, "total", swapped)
    error = refused(room, folder)
    assert (type(error), error.party) == (PeerMisbehaved, "coordinator")
    assert "another public key than was signed" in error.message


def test_owners_believe_no_ruling_of_another_session(room, folder, monkeypatch) -> None:
    kept: list[object] = []
    whole = Summing.add

    async def relays_first(summing: Summing, call: Call) -> None:
        kept.append(summing.rulings[0])
        summing.rulings[0] = kept[0]
        await whole(summing, call)

    async def work(_: Parties) -> CleanroomError:
        monkeypatch.setattr(Summing, "add", relays_first)
        await ask(room, TWO)
        with pytest.raises(CleanroomError) as caught:
            await ask(room, TWO)
        return caught.value

    error = in_room(room, folder, work)
    assert type(error) is PeerMisbehaved
    assert "not for this request" in error.message


# --- a recipient that does what is not its part ----------------------------------------------


def _asks_for(**other: object) -> Callable[[object], None]:
    def cheat(monkeypatch) -> None:
        whole = Decrypting.encryption.fget
        changed = property(lambda self: whole(self).model_copy(update=other))
        monkeypatch.setattr(Decrypting, "encryption", changed)

    return cheat


def _signs_for_no_key(monkeypatch) -> None:
    whole = Decrypting.__init__

    def init(self: Decrypting, *given: object) -> None:
        whole(self, *given)
        key = PublicKey(SUM, bytes(1000))
        self._holder.id, self._holder.data = key.id, key.data

    monkeypatch.setattr(Decrypting, "__init__", init)


@pytest.mark.parametrize(
    ("cheat", "kind", "says"),
    [
        (_asks_for(ciphertexts=2), PlanMismatch, "asks for another encryption"),
        (_asks_for(parameters="bfv-filter-1"), PlanMismatch, "asks for another encryption"),
        (_asks_for(parameters="none"), MessageInvalid, "unknown parameters"),
        (_signs_for_no_key, PeerMisbehaved, "its public key is none"),
    ],
)
def test_owners_encrypt_nothing_for_a_recipient_that_cheats(
    room, folder, monkeypatch, cheat: Callable[[object], None], kind: type, says: str
) -> None:
    cheat(monkeypatch)
    error = refused(room, folder)
    assert type(error) is kind
    assert says in error.message


# --- calls that are not the caller's -------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "route", "says"),
    [
        ("bank_b", ADD, "no part in this session"),
        ("hospital", ADD, "contributed before"),
        ("bank_b", TOTAL, "not the recipient"),
        ("analyst", TOTAL, "called before"),
    ],
)
def test_calls_that_are_not_the_callers_are_refused(
    room, folder, who: str, route: str, says: str
) -> None:
    async def work(parties: Parties) -> CleanroomError:
        begun = asyncio.get_running_loop().create_future()

        async def waits(session: QueryRun) -> None:
            await _opened(parties["bank_a"], session)
            begun.set_result(session)
            await asyncio.Event().wait()

        parties["bank_a"]._roles.play = waits
        asked = asyncio.ensure_future(ask(room, TWO))
        session = await begun
        async with room[who].dial("coordinator") as channel:
            call = channel.open(route)
            await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
            with pytest.raises(NotAuthorised) as caught:
                await call.finish()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        return caught.value

    error = in_room(room, folder, work)
    assert error.party == who
    assert says in error.message


@pytest.mark.parametrize("route", [CONTRIBUTE, ROUNDS, COLLECT])
def test_no_share_goes_to_a_session_on_ciphertexts(room, folder, route: str) -> None:
    async def work(parties: Parties) -> None:
        begun = asyncio.get_running_loop().create_future()

        async def waits(session: QueryRun) -> None:
            begun.set_result(session)
            await asyncio.Event().wait()

        parties["bank_a"]._roles.play = waits
        asked = asyncio.ensure_future(ask(room, TWO))
        session = await begun
        async with room["hospital"].dial("bank_a") as channel:
            call = channel.open(route)
            await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
            with pytest.raises(MessageInvalid, match="runs on ciphertexts"):
                await call.finish()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    in_room(room, folder, work)


@pytest.mark.parametrize(
    ("session", "plan_hash", "kind"),
    [("0" * 32, "0" * 64, MessageInvalid), (None, "0" * 64, PlanMismatch)],
)
def test_a_call_for_another_session_or_plan_is_refused(
    room, folder, session: str | None, plan_hash: str, kind: type
) -> None:
    async def work(parties: Parties) -> None:
        begun = asyncio.get_running_loop().create_future()

        async def waits(session: QueryRun) -> None:
            begun.set_result(session)
            await asyncio.Event().wait()

        parties["bank_a"]._roles.play = waits
        asked = asyncio.ensure_future(ask(room, TWO))
        running = await begun
        async with room["bank_a"].dial("coordinator") as channel:
            call = channel.open(ADD)
            await call.send(Opening(session or running.id, plan_hash).to_bytes())
            with pytest.raises(kind):
                await call.finish()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    in_room(room, folder, work)


def test_a_digest_covers_where_one_ciphertext_ends() -> None:
    digests = []
    for parts in ((b"ab", b"c"), (b"a", b"bc")):
        digest = Digest("k")
        for part in parts:
            digest.add(part)
        digests.append(digest.hexdigest())
    assert digests[0] != digests[1]
