"""One state: what is kept, removed and over, who may open it, and what it shows to whom."""

import copy
import datetime as dt
import pickle
import sqlite3
from pathlib import Path

import kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom import logs
from cleanroom.errors import (
    StateDamaged,
    StateKeyRefused,
    StateUnavailable,
)
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.secret import Secret
from cleanroom.storage.state import State

DAY = dt.date(2026, 5, 21)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return kept.state(tmp_path)


def value(state: State, table: str, row: str) -> bytes | None:
    with state.reading() as view:
        return view.get(table, row)


def test_values_are_there_after_opening_again(tmp_path: Path, state: State) -> None:
    with state.writing() as batch:
        batch.put("a", "1", b"one")
        batch.put("a", "2", b"two")
        batch.put("b", "1", b"")
        batch.put("a", "2", b"second")
        batch.delete("a", "none")
        assert batch.get("a", "2") == b"second"
    state.close()
    with kept.state(tmp_path) as again, again.reading() as view:
        assert dict(view.rows("a")) == {"1": b"one", "2": b"second"}
        assert (view.get("b", "1"), view.get("b", "2")) == (b"", None)


def test_an_error_undoes_all_of_a_batch(state: State) -> None:
    def fail() -> None:
        with state.writing() as batch:
            batch.put("a", "1", b"one", about=["north.visits"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert value(state, "a", "1") is None
    with state.writing() as batch:
        batch.put("a", "1", b"two", about=["north.visits"])
    assert value(state, "a", "1") == b"two"


def test_a_value_is_gone_from_its_day_on(tmp_path: Path) -> None:
    """S49, F66: and a clock that is set back brings nothing back."""
    with kept.state(tmp_path, today=lambda: DAY) as state, state.writing() as batch:
        batch.put("a", "1", b"one", expires=DAY + dt.timedelta(days=1))
        batch.put("a", "2", b"two")
        assert batch.get("a", "1") == b"one"
    with kept.state(tmp_path, today=lambda: DAY + dt.timedelta(days=1)) as later:
        assert value(later, "a", "1") is None
    with kept.state(
        tmp_path, today=lambda: DAY
    ) as back:  # the clock, set back, brings nothing back
        assert value(back, "a", "1") is None
        assert value(back, "a", "2") == b"two"


def test_a_process_that_runs_on_removes_what_is_over(tmp_path: Path) -> None:
    days = [DAY]
    with kept.state(tmp_path, today=lambda: days[0]) as state:
        with state.writing() as batch:
            batch.put("a", "1", b"one", expires=DAY + dt.timedelta(days=30))
        days[0] = DAY + dt.timedelta(days=40)
        with state.writing() as batch:
            batch.put("a", "2", b"two")
        days[0] = DAY  # set back: it is gone, not hidden
        assert value(state, "a", "1") is None
        assert value(state, "a", "2") == b"two"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.none() | st.binary(max_size=9)),
        max_size=20,
    )
)
def test_it_is_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str, bytes | None]]
) -> None:
    folder, plain = tmp_path_factory.mktemp("state"), {}
    with kept.state(folder) as state:
        for table, row, content in changes:
            with state.writing() as batch:
                if content is None:
                    plain.pop((table, row), None)
                    batch.delete(table, row)
                else:
                    plain[table, row] = content
                    batch.put(table, row, content)
    with kept.state(folder) as state, state.reading() as view:
        found = {(table, row): v for table in "ab" for row, v in view.rows(table)}
    assert found == plain


def test_no_file_is_readable_by_others_and_none_holds_a_name(tmp_path: Path, state: State) -> None:
    with state.writing() as batch:
        batch.put("canary-table", "canary-row", b"canary-value", about=["canary-about"])
    files = list(tmp_path.iterdir())
    names = {"state.db", "state.db-wal", "state.db-shm", "state.key"}
    assert {file.name for file in files} == names
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert not any(b"canary" in file.read_bytes() for file in files)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path, state: State) -> None:
    state.close()
    for name, kind in (("state.db", StateUnavailable), ("state.key", StateKeyRefused)):
        (tmp_path / name).chmod(0o640)
        with pytest.raises(kind, match="others"):
            kept.state(tmp_path)
        (tmp_path / name).chmod(0o600)
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "state.db")
    with pytest.raises(StateUnavailable, match="file of this user"):
        State.open(link, Keys(tmp_path / "state.key"), kept.ROOM)
    with pytest.raises(StateUnavailable, match="cannot use"):
        State.open(tmp_path / "nowhere" / "state.db", Keys(tmp_path / "new.key"), kept.ROOM)


def test_a_state_without_its_key_or_a_key_without_its_state_is_never_begun_anew(
    tmp_path: Path, state: State
) -> None:
    state.close()
    (tmp_path / "state.key").rename(tmp_path / "away.key")
    with pytest.raises(StateKeyRefused, match="no key file"):
        kept.state(tmp_path)
    (tmp_path / "away.key").rename(tmp_path / "state.key")
    (tmp_path / "state.db").unlink()
    with pytest.raises(StateUnavailable, match="is gone"):
        kept.state(tmp_path)
    (tmp_path / "state.db").touch(0o600)
    with pytest.raises(StateUnavailable, match="is empty"):
        kept.state(tmp_path)


def test_wrong_keys_rooms_suites_and_files_are_refused(tmp_path: Path, state: State) -> None:
    state.close()
    path, key = tmp_path / "state.db", tmp_path / "state.key"
    with pytest.raises(StateUnavailable, match="room other"):
        State.open(path, Keys(key), "other")
    other = tmp_path / "other"
    other.mkdir()
    kept.state(other).close()
    with pytest.raises(StateKeyRefused, match="another key"):
        State.open(path, Keys(other / "state.key"), kept.ROOM)
    right = key.read_text()
    for edit in ((SUITE_TEXT, "rot13"), ('"secret": "', '"secret": "00'), ("{", "[")):
        key.write_text(right.replace(*edit))
        with pytest.raises(StateKeyRefused, match=r"suite|no key file"):
            kept.state(tmp_path)
    key.write_text(right)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET suite = 'rot13'")
    db.close()
    with pytest.raises(StateUnavailable, match="suite"):
        kept.state(tmp_path)
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StateDamaged, match="NOTADB"):
        kept.state(tmp_path)


SUITE_TEXT = "aes256gcm"


def test_keys_do_not_show_themselves() -> None:
    key = Secret.new()
    hidden = key.exposed()
    for shown in (repr(key), str(key), f"{key}", repr(Keys(Path("x")))):
        assert hidden.hex()[:8] not in shown
        assert repr(hidden)[2:10] not in shown
    assert logs.redact(None, "", {"event": key})["event"] == "Secret"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(key)


def test_a_batch_within_another_is_refused(state: State) -> None:
    with pytest.raises(RuntimeError, match="within"), state.writing(), state.reading():
        pass


def test_a_full_state_keeps_what_it_confirmed(tmp_path: Path) -> None:
    """F81: the disk is full; nothing is half written."""
    confirmed: list[int] = []

    def fill(state: State) -> None:
        for i in range(2000):
            with state.writing() as batch:
                batch.put("a", f"{i}", bytes(500))
            confirmed.append(i)

    with kept.state(tmp_path, max_bytes=96 << 10) as state:
        with pytest.raises(StateUnavailable, match="FULL"):
            fill(state)
        with state.reading() as view:
            assert {int(row) for row, _ in view.rows("a")} == set(confirmed)
    with kept.state(tmp_path) as again, again.reading() as view:
        assert len(list(view.rows("a"))) == len(confirmed) > 10
