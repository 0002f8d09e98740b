"""Somebody writes to the file: whatever it is, it is found, named, and nothing is handed out."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import kept
import numpy as np
import pytest

from cleanroom.errors import StateDamaged, StateUnavailable
from cleanroom.storage.state import State


@contextmanager
def raw(folder: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(folder / "state.db", isolation_level=None)
    yield db
    db.close()


@pytest.fixture
def state(tmp_path: Path) -> State:
    opened = kept.state(tmp_path)
    with opened.writing() as batch:
        for i in range(5):
            batch.put("a", f"{i}", b"canary-%d" % i, about=["north.visits"] if i % 2 else [])
    return opened


SWAP = """
    UPDATE row SET {0} = CASE name WHEN x'{1}' THEN (SELECT {0} FROM row WHERE name = x'{2}')
    ELSE (SELECT {0} FROM row WHERE name = x'{1}') END WHERE name IN (x'{1}', x'{2}')"""


def swaps(columns: tuple[str, ...], db: sqlite3.Connection) -> None:
    (one,), (two,) = db.execute("SELECT name FROM row WHERE key = 1 LIMIT 2")
    values = {
        n: db.execute(f"SELECT {','.join(columns)} FROM row WHERE name = ?", (n,)).fetchone()
        for n in (one, two)
    }
    sets = ", ".join(f"{column} = ?" for column in columns)
    for name, other in ((one, two), (two, one)):
        db.execute(f"UPDATE row SET {sets} WHERE name = ?", (*values[other], name))


EDITS = {
    "sealed bytes of two rows": lambda db: swaps(("sealed",), db),
    "all of two rows but their names": lambda db: swaps(("version", "sealed"), db),
    "a flipped bit": lambda db: flip(db),
    "a version": lambda db: db.execute("UPDATE row SET version = version - 1"),
    "a later last day": lambda db: db.execute("UPDATE row SET expires = 999999"),
    "another key": lambda db: db.execute("UPDATE row SET key = 3 - key"),
    "a row removed": lambda db: db.execute(
        "DELETE FROM row WHERE name = (SELECT name FROM row LIMIT 1)"
    ),
    "all rows removed": lambda db: db.execute("DELETE FROM row"),
    "a row twice": lambda db: db.execute(
        "INSERT INTO row SELECT tab, randomblob(16), key, version, expires, sealed FROM row LIMIT 1"
    ),
    "a key removed": lambda db: db.execute("DELETE FROM key WHERE id = 2"),
    "an exchanged key": lambda db: db.execute(
        "UPDATE key SET sealed = (SELECT k.sealed FROM key k WHERE k.id = 3 - key.id)"
    ),
    "the head": lambda db: db.execute("UPDATE meta SET head = randomblob(length(head))"),
    "the head's version": lambda db: db.execute("UPDATE meta SET version = version + 1"),
}


def flip(db: sqlite3.Connection) -> None:
    name, sealed = db.execute("SELECT name, sealed FROM row LIMIT 1").fetchone()
    changed = bytearray(sealed)
    changed[secrets.randbelow(len(sealed))] ^= 1 << secrets.randbelow(8)
    db.execute("UPDATE row SET sealed = ? WHERE name = ?", (bytes(changed), name))


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_found_when_the_state_is_opened(tmp_path: Path, state: State, edit: str) -> None:
    """F78: rows swapped, removed, changed."""
    state.close()
    with raw(tmp_path) as db:
        EDITS[edit](db)
    with pytest.raises(StateDamaged, match=r"state\.db") as found:
        kept.state(tmp_path)
    assert "canary" not in str(found.value)


@pytest.mark.parametrize("edit", ["sealed bytes of two rows", "a flipped bit", "the head"])
def test_an_edit_under_a_running_process_hands_out_nothing(
    tmp_path: Path, state: State, edit: str
) -> None:
    with raw(tmp_path) as db:
        EDITS[edit](db)
    with pytest.raises(StateDamaged), state.reading() as view:
        list(view.rows("a"))


def test_one_row_of_yesterday_is_found(tmp_path: Path, state: State) -> None:
    """F78: it opens, as it was sealed for this place; but the sum over all rows is another."""
    with raw(tmp_path) as db:
        db.execute("CREATE TABLE old AS SELECT * FROM row")
        for name in ("budget", "other"):
            with state.writing() as batch:
                batch.put("a", "0", name.encode())
        db.execute("INSERT OR REPLACE INTO row SELECT * FROM old")
        db.execute("DROP TABLE old")
    state.close()
    with pytest.raises(StateDamaged, match="old copy"):
        kept.state(tmp_path)


def test_an_old_head_with_old_rows_is_found_by_who_saw_the_new(
    tmp_path: Path, state: State
) -> None:
    """F78: the whole database of yesterday, under a process that knows today's."""
    with raw(tmp_path) as db:
        for table in ("row", "meta", "key"):
            db.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")
        with state.writing() as batch:
            batch.put("a", "0", b"new")
        for table in ("row", "meta", "key"):
            db.execute(f"DELETE FROM {table}")
            db.execute(f"INSERT INTO {table} SELECT * FROM old_{table}")
            db.execute(f"DROP TABLE old_{table}")
    with pytest.raises(StateDamaged, match="older than"), state.reading():
        pass


def test_a_torn_file_is_found(tmp_path: Path, state: State) -> None:
    with state.writing() as batch:
        for i in range(200):
            batch.put("b", f"{i}", bytes(200))
    state.close()
    path = tmp_path / "state.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StateDamaged, match=r"CORRUPT|missing|changed"):
        kept.state(tmp_path)


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_to_the_file_is_anything_but_a_typed_refusal(tmp_path: Path, seed: int) -> None:
    """Bits, runs of bytes and pages: the state opens with all its values, or not at all."""
    with kept.state(tmp_path) as state, state.writing() as batch:
        for i in range(60):
            batch.put("a", f"{i}", b"%d" % i * 30, about=["north.visits"] if i % 3 else [])
    dice, whole = np.random.default_rng(seed), (tmp_path / "state.db").read_bytes()
    expected = {f"{i}": b"%d" % i * 30 for i in range(60)}
    for _ in range(15):
        at, to = (int(n) for n in dice.integers(0, len(whole), 2))
        page, other = at // 4096 * 4096, to // 4096 * 4096
        edits = [
            (at, bytes([whole[at] ^ (1 << int(dice.integers(8)))])),
            (at, bytes(64)),
            (at, dice.bytes(300)),
            (page, whole[other : other + 4096]),
        ]
        start, written = edits[int(dice.integers(len(edits)))]
        edited = (whole[:start] + written + whole[start + len(written) :])[: len(whole)]
        for path in tmp_path.glob("state.db*"):
            path.unlink()
        (tmp_path / "state.db").touch(0o600)
        (tmp_path / "state.db").write_bytes(edited)
        found = expected
        with suppress(StateDamaged, StateUnavailable), kept.state(tmp_path) as state:
            found = rows_of(state)
        assert found == expected


def rows_of(state: State) -> dict[str, bytes]:
    with state.reading() as view:
        return dict(view.rows("a"))


def test_files_of_another_state_do_not_mix(tmp_path: Path, state: State) -> None:
    other = tmp_path / "other"
    other.mkdir()
    kept.state(other).close()
    state.close()
    with raw(other) as db:
        head, version = db.execute("SELECT head, version FROM meta").fetchone()
    with raw(tmp_path) as db:
        db.execute("UPDATE meta SET head = ?, version = ?", (head, version))
    with pytest.raises(StateDamaged, match="head"):
        kept.state(tmp_path)
    shutil.rmtree(other)
