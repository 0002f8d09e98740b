"""Members that hold each other to their logs: growth is believed, everything else is found."""

import shutil
from pathlib import Path

import audit
import kept
import pytest
import tiny_room

from cleanroom.audit.held import accept
from cleanroom.audit.record import Kind, Record
from cleanroom.audit.witness import Witness
from cleanroom.errors import (
    LogDiverged,
    MessageInvalid,
    NotAuthorised,
    PeerUnavailable,
    RowsChanged,
    StateUnavailable,
)
from cleanroom.session.member import Membership
from cleanroom.session.statements import Committed, Signed
from cleanroom.transport.envelopes import Shown

NAMES = ("bank_a", "bank_b", "hospital", "coordinator")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Membership]:
    return tiny_room.make_room(tmp_path_factory.mktemp("room"))


@pytest.fixture
def all_of(room, tmp_path: Path) -> dict[str, Witness]:
    witnesses = {name: audit.witness_of(room[name], tmp_path) for name in NAMES}
    audit.exchange(*witnesses.values())
    return witnesses


def work(witness: Witness, n: int = 3) -> None:
    for _ in range(n):
        witness.log.add(Record.now(Kind.FINISHED))


def sizes(witness: Witness) -> dict[str, int]:
    return {name: one.checkpoint.size for name, one in witness._held.items()}


def test_everybody_holds_everybodys_newest_checkpoint(all_of) -> None:
    a, b, h, _ = all_of.values()
    for witness in (a, b, a):
        work(witness)
        audit.exchange(*all_of.values(), by=witness)
    assert sizes(h) == {"bank_a": 7, "bank_b": 4, "coordinator": 1}
    for witness in all_of.values():
        witness.check(NAMES)


def test_a_member_that_was_away_asks_for_its_own_proof(all_of, room, tmp_path: Path) -> None:
    a, b, h, c = all_of.values()
    for _ in range(4):
        work(a)
        audit.exchange(a, b, c, by=a)
    assert sizes(h)["bank_a"] == 1
    back = audit.witness_of(room["hospital"], tmp_path)
    audit.exchange(a, b, back, c)
    assert sizes(back)["bank_a"] == 13
    back.check(NAMES)


def copied(folder: Path, member: str, to: str) -> None:
    for part in ("state.db", "state.key"):
        shutil.copy(folder / member / part, folder / member / f"{to}.{part}")


def put_back(folder: Path, member: str, to: str) -> None:
    for part in ("state.db", "state.key"):
        shutil.copy(folder / member / f"{to}.{part}", folder / member / part)


@pytest.mark.parametrize("more", [0, 1, 20], ids=["truncated", "restarted", "forked"])
def test_an_old_copy_is_found_by_others_and_by_itself(
    all_of, room, tmp_path: Path, more: int
) -> None:
    a, *others = all_of.values()
    a._state.close()
    copied(tmp_path, "bank_a", "old")
    a = Witness(room["bank_a"], kept.state(tmp_path / "bank_a", "tiny"))
    work(a, 10)
    audit.exchange(a, *others)
    a._state.close()
    for left in ("state.db-wal", "state.db-shm"):
        (tmp_path / "bank_a" / left).unlink(missing_ok=True)
    put_back(tmp_path, "bank_a", "old")

    a = Witness(room["bank_a"], kept.state(tmp_path / "bank_a", "tiny"))
    work(a, more)
    audit.exchange(a, *others, by=a)
    for witness in (a, *others):
        with pytest.raises(LogDiverged) as found:
            witness.check(("bank_b", "bank_a"))
        assert found.value.party == "bank_a"
    others[0].check(("hospital", "coordinator"))

    for witness in others:
        with witness._state.writing() as batch:
            accept(batch, "bank_a")
    again = [Witness(room[w.name], w._state) for w in (a, *others)]
    audit.exchange(*again)
    for witness in again:
        witness.check(NAMES)


def test_two_histories_of_one_length_are_found(all_of, room, tmp_path: Path) -> None:
    a, b, *_ = all_of.values()
    fork = audit.witness_of(room["bank_a"], tmp_path / "fork")
    assert fork.log.head().size == a.log.head().size
    b.hear(fork.publish())
    with pytest.raises(LogDiverged, match="two histories"):
        b.check(("bank_a",))


def test_an_old_checkpoint_that_somebody_repeats_frames_nobody(all_of) -> None:
    a, b, *_ = all_of.values()
    old = a.publish()
    work(a)
    audit.exchange(*all_of.values(), by=a)
    (question,) = b.hear(old)
    assert b.unsettled(("bank_a",)) == {"bank_a"}
    with pytest.raises(PeerUnavailable, match="hasn't shown yet"):
        b.check(("bank_a",))
    (answer,) = a.hear(Shown(question.checkpoint, member="bank_b"))
    assert b.hear(answer) == []
    b.check(("bank_a",))


def test_a_member_that_gives_no_proof_is_named(all_of) -> None:
    a, b, *_ = all_of.values()
    work(a)
    bare = Shown(a.publish().checkpoint)
    assert len(b.hear(bare)) == 1
    assert len(b.hear(bare)) == 1  # a question may get lost
    b.hear(Shown(bare.checkpoint, member="bank_b"))
    with pytest.raises(LogDiverged):
        b.check(("bank_a",))
    a.check(())


def test_rows_that_change_within_an_epoch_are_found(all_of, room, tmp_path: Path) -> None:
    a, b, *_ = all_of.values()
    others = [w for w in all_of.values() if w is not a]

    def committed(epoch: int, root: str) -> Witness:
        rows = Committed(table="t", epoch=epoch, root=root * 64)
        return audit.witness_of(room["bank_a"], tmp_path, rows)

    for epoch, root in ((0, "1"), (0, "1"), (1, "2")):
        audit.exchange(committed(epoch, root), *others)
        b.check(("bank_a",))
    for epoch, root, says in ((1, "3", "other rows"), (0, "1", "went back")):
        audit.exchange(committed(epoch, root), *others)
        with pytest.raises(RowsChanged, match=says) as found:
            b.check(("bank_a",))
        assert found.value.party == "bank_a"
    audit.exchange(committed(2, "3"), *others)
    b.check(("bank_a",))


def test_checkpoints_of_others_hands_are_refused(all_of, room) -> None:
    a, b, *_ = all_of.values()
    good = a.publish().checkpoint
    for signer, signature in (("bank_b", good.signature), (good.signer, bytes(64))):
        with pytest.raises(NotAuthorised):
            b.hear(Shown(Signed(good.kind, signer, good.payload, signature)))
    for payload in (good.payload + b" ", good.payload[:-1], good.payload.replace(b"bank_a", b"x")):
        with pytest.raises((MessageInvalid, NotAuthorised)):
            b.hear(Shown(Signed(good.kind, good.signer, payload, good.signature)))
    b.check(NAMES)


def test_two_members_do_not_share_a_state(all_of, room) -> None:
    with pytest.raises(StateUnavailable, match="the state of bank_a"):
        Witness(room["bank_b"], all_of["bank_a"]._state)


def test_acceptances_count_one_at_a_time_while_the_coordinator_still_shows_the_lost_log(
    all_of, room, tmp_path: Path
) -> None:
    a, b, h, c = all_of.values()
    work(a, 9)
    audit.exchange(*all_of.values(), by=a)
    lost = Shown(a.publish().checkpoint)
    a = audit.witness_of(room["bank_a"], tmp_path / "anew")
    now = {"bank_b": b, "hospital": h, "coordinator": c}
    audit.exchange(a, *now.values())
    for name in now:
        with now[name]._state.writing() as batch:
            accept(batch, "bank_a")
        now[name].add()  # an old process ends
        now[name] = Witness(room[name], now[name]._state)
        (question,) = now[name].hear(lost)  # of a coordinator that hasn't accepted, or lies
        with pytest.raises(PeerUnavailable, match="hasn't said yet"):
            now[name].check(("bank_a",))
        with pytest.raises(LogDiverged):
            a.check(())
        for answer in now[name].hear(a.hear(Shown(question.checkpoint, member=name))[0]):
            now[name].hear(a.hear(Shown(answer.checkpoint, member=name))[0])
        now[name].check(("bank_a",))
        again = Witness(room[name], now[name]._state)
        audit.exchange(a, again)
        again.check(("bank_a",))
    audit.exchange(a, *now.values())
    for witness in (a, *now.values()):
        witness.check(NAMES)
