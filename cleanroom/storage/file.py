"""The state's file: one SQLite database that its owner alone may read, written durably.

Rule: files, locks and faults of the disk. What the bytes mean stands in `state`.
"""

import os
import secrets
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from cleanroom.errors import StateDamaged, StateUnavailable

MAX_BYTES = 1 << 30
_PAGE_BYTES = 4096
_BUSY_S = 60.0
_LAYOUT = 1
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"})
_ROWS = """
    CREATE TABLE row (
        tab BLOB NOT NULL, name BLOB NOT NULL, key INTEGER NOT NULL, version INTEGER NOT NULL,
        expires INTEGER NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (tab, name)) STRICT, WITHOUT ROWID"""
_SCHEMA = (
    """CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1), suite TEXT NOT NULL, room BLOB NOT NULL,
        key_id BLOB NOT NULL, version INTEGER NOT NULL, head BLOB NOT NULL) STRICT""",
    """CREATE TABLE key (
        id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT""",
    _ROWS,
)
OLD = "old_row"


class StateFile:
    """An open file; many threads may use it, and many processes may have it open."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._holder = 0

    @classmethod
    def open(cls, path: Path, max_bytes: int) -> Self:
        """Open the file, or make it, empty.

        Raises:
            StateUnavailable: if it can't be used or isn't this user's alone.
            StateDamaged: if it is no database of this kind.
        """
        _private_file(path)
        with _faults(path):
            connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                file = cls(path, connection)
                file._prepare(max_bytes)
            except UnicodeDecodeError:  # SQLite's own text about a schema that is none
                connection.close()
                raise StateDamaged(f"{path} is no sound database") from None
            except BaseException:
                connection.close()
                raise
        return file

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """Hold one view of the file; to write, its only write lock, until it is on disk.

        An error undoes everything that was written since. One thread holds one at a time.
        """
        if self._holder == threading.get_ident():
            raise RuntimeError("a transaction within another")
        with self._lock, _faults(self.path):
            self._holder = threading.get_ident()
            try:
                self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield self._connection
                    self._connection.commit()
                except BaseException:
                    self._connection.rollback()
                    raise
            finally:
                self._holder = 0

    @staticmethod
    def set_aside(db: sqlite3.Connection) -> None:
        """Begin with no rows and no keys; those that were are in the table `OLD` until dropped."""
        db.execute("DELETE FROM key")
        db.execute(f"ALTER TABLE row RENAME TO {OLD}")
        db.execute(_ROWS)

    @staticmethod
    def drop_old(db: sqlite3.Connection) -> None:
        """Drop what was set aside."""
        db.execute(f"DROP TABLE {OLD}")

    def compact(self) -> None:
        """Drop what was deleted: from the log of changes, then from the file.

        Nothing depends on it: what was deleted is sealed under keys that are gone. So a reader
        in another process, who keeps some of it there for a while, is no fault.
        """
        with self._lock, _faults(self.path), suppress(sqlite3.OperationalError):
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _prepare(self, max_bytes: int) -> None:
        db = self._connection
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute(f"PRAGMA max_page_count = {max(1, max_bytes // _PAGE_BYTES)}")
        with self.transaction(write=True):
            layout = db.execute("PRAGMA user_version").fetchone()[0]
            if layout == 0:
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_LAYOUT}")
            elif layout != _LAYOUT:
                raise StateUnavailable(f"{self.path} has layout {layout}, this version {_LAYOUT}")


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        kind = "_".join(name.split("_")[:2])
        if kind in _DAMAGED:
            raise StateDamaged(f"{path} is no sound database: {name}") from None
        raise StateUnavailable(f"{path}: {name}") from None


def _private_file(path: Path) -> None:
    """Demand that the file is this user's alone, after making it if it isn't there.

    It appears under its name only once nobody has it open: to close a file drops all locks that
    the process holds on it, those of SQLite too.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        if not path.exists():
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        found = path.lstat()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StateUnavailable(f"cannot use {path}: {reason}") from None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise StateUnavailable(f"{path} isn't a file of this user")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = f"Set its mode with 'chmod 600 {path}'."
        raise StateUnavailable(f"{path} may be read or written by others", remedy=remedy)
