"""Backups: the same state on another machine, or a refusal; never a budget that comes back."""

import datetime as dt
import shutil
from fractions import Fraction
from pathlib import Path

import kept
import pytest

from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.errors import (
    CleanroomError,
    StateDamaged,
    StateKeyRefused,
    StateRestored,
    StateUnavailable,
)
from cleanroom.storage.backup import Summary, digest_of
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.passphrase import Asked
from cleanroom.storage.safekeeping import BACKUPS, Lock, back_up, confirm, restore
from cleanroom.storage.state import State

SCOPE = Scope("north.visits", "university", "research")
DAY = dt.date(2026, 5, 21)
PLAN = b"p" * 32


def lock(folder: Path) -> Lock:
    return Lock(folder / "backup.key", Asked())


def filled(folder: Path) -> State:
    state = kept.state(folder, today=lambda: DAY)
    with state.writing() as batch:
        for i in range(20):
            batch.put("a", f"{i}", b"canary-%d" % i, about=["north.visits"] if i % 2 else [])
        batch.put("a", "over", b"", expires=DAY)
        batch.put("a", "soon", b"", expires=DAY + dt.timedelta(days=1))
    Ledger(state).allow(SCOPE, Fraction(1))
    return state


def restored(folder: Path, room: str = kept.ROOM, by: Lock | None = None) -> Summary:
    there = folder / "there"
    there.mkdir(exist_ok=True)
    locked = by or lock(folder)
    return restore(folder / "b", locked, there / "state.db", Keys(there / "state.key"), room)


def test_a_state_comes_back_the_same_on_another_machine(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        summary = back_up(state, tmp_path / "b", lock(tmp_path))
        with state.reading() as view:
            assert digest_of(view) == summary.digest
            assert dict(view.rows(BACKUPS)).popitem()[1] == DAY.isoformat().encode()
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("b", "backup.key")} == {0o600}
    assert b"canary" not in (tmp_path / "b").read_bytes()
    assert restored(tmp_path) == summary
    with kept.state(tmp_path / "there", today=lambda: DAY) as again, again.reading() as view:
        assert digest_of(view) == summary.digest
        assert view.get("a", "7") == b"canary-7"


def test_a_backup_brings_no_budget_back(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        back_up(state, tmp_path / "b", lock(tmp_path))
        Ledger(state).charge("s", PLAN, SCOPE, Fraction(1))
    restored(tmp_path)
    with kept.state(tmp_path / "there") as again:
        ledger = Ledger(again)
        for _ in range(2):
            with pytest.raises(StateRestored, match="out of a backup of 2026-05-21"):
                ledger.charge("t", PLAN, SCOPE, Fraction(1))
        again.rekey()
        assert again.restored
        with again.writing() as batch:
            confirm(batch)
        ledger.charge("t", PLAN, SCOPE, Fraction(1))


def test_a_passphrase_opens_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = tmp_path / "words"
    words.touch(0o600)
    words.write_text("copper lantern whistle mango orbit")
    monkeypatch.setenv("CLEANROOM_BACKUP_PASSPHRASE_FILE", str(words))
    by = Lock(None, Asked("Backup", "CLEANROOM_BACKUP_PASSPHRASE"))
    with filled(tmp_path) as state:
        summary = back_up(state, tmp_path / "b", by)
    assert restored(tmp_path, by=by) == summary
    shutil.rmtree(tmp_path / "there")
    words.write_text("another lantern whistle mango orbit")
    with pytest.raises(StateKeyRefused, match="doesn't open"):
        restored(tmp_path, by=Lock(None, Asked("Backup", "CLEANROOM_BACKUP_PASSPHRASE")))


def test_no_edit_of_a_backup_is_taken(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        back_up(state, tmp_path / "b", lock(tmp_path))
    path = tmp_path / "b"
    whole = path.read_bytes()
    step = max(1, len(whole) // 60)
    edits = [whole[:i] for i in range(0, len(whole), step)]
    edits += [
        whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(0, len(whole), step)
    ]
    edits += [whole + b"\0"]
    for edit in edits:
        path.write_bytes(edit)
        with pytest.raises((StateDamaged, StateUnavailable)):
            restored(tmp_path)
        assert not list((tmp_path / "there").iterdir())


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    with filled(tmp_path) as state:
        back_up(state, tmp_path / "b", lock(tmp_path))
        for again in (tmp_path / "b", tmp_path / "c"):  # the key of the second is there already
            with pytest.raises(StateUnavailable, match="cannot write"):
                back_up(state, again, lock(tmp_path))

    def refused(match: str, kind: type[CleanroomError], **how: object) -> None:
        with pytest.raises(kind, match=match):
            restored(tmp_path, **how)

    refused("room other", StateUnavailable, room="other")
    refused("Name that file", StateUnavailable, by=Lock(None, Asked()))
    refused("no key file|cannot read", StateKeyRefused, by=Lock(tmp_path / "none", Asked()))
    refused("another key", StateDamaged, by=Lock(tmp_path / "state.key", Asked()))
    restored(tmp_path)
    refused("there already", StateUnavailable)
    (tmp_path / "b").unlink()
    shutil.rmtree(tmp_path / "there")
    refused("cannot read", StateUnavailable)
