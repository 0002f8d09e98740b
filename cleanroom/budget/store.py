"""The ledger's file: one SQLite database that its owner alone may read, written durably.

Rule: files, locks and faults of the disk. What a budget is stands in `ledger`.
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

from cleanroom.errors import LedgerUnavailable

MAX_BYTES = 1 << 30
_PAGE_BYTES = 4096
_BUSY_S = 60.0
_LAYOUT = 1
_SCHEMA = (
    """CREATE TABLE scope (
        tab TEXT NOT NULL, recipient TEXT NOT NULL, purpose TEXT NOT NULL,
        allowed INTEGER NOT NULL CHECK (allowed >= 0), spent INTEGER NOT NULL CHECK (spent >= 0),
        PRIMARY KEY (tab, recipient, purpose)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE charge (
        session TEXT NOT NULL, tab TEXT NOT NULL, recipient TEXT NOT NULL, purpose TEXT NOT NULL,
        plan BLOB NOT NULL, units INTEGER NOT NULL CHECK (units > 0), day TEXT NOT NULL,
        PRIMARY KEY (session, tab, recipient, purpose)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE answer (
        plan BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE scored (
        model TEXT NOT NULL, recipient TEXT NOT NULL, day TEXT NOT NULL,
        rows INTEGER NOT NULL CHECK (rows > 0),
        PRIMARY KEY (model, recipient, day)) STRICT, WITHOUT ROWID""",
)
_CONTRADICTIONS = """
    SELECT count(*) FROM scope FULL JOIN (
        SELECT tab, recipient, purpose, sum(units) AS units FROM charge GROUP BY 1, 2, 3
    ) USING (tab, recipient, purpose) WHERE spent IS NOT ifnull(units, 0)"""


class Store:
    """An open file; many threads may use it, and many processes may have it open."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, max_bytes: int = MAX_BYTES) -> Self:
        """Open the file, or make it; check that it is whole and adds up.

        Raises:
            LedgerUnavailable: if it isn't so, or isn't this owner's alone.
        """
        _private_file(path)
        with _faults(path):
            connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                store = cls(path, connection)
                store._prepare(max_bytes)
            except BaseException:
                connection.close()
                raise
        return store

    def close(self) -> None:
        """Close the file; what was written stays."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read what is committed."""
        with self._lock, _faults(self._path):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's only write lock from before the first read until it is on disk.

        An error undoes everything that was written since.
        """
        with self._lock, _faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise

    def _prepare(self, max_bytes: int) -> None:
        db = self._connection
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute(f"PRAGMA max_page_count = {max(1, max_bytes // _PAGE_BYTES)}")
        with self.writing():
            layout = db.execute("PRAGMA user_version").fetchone()[0]
            if layout == 0:
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_LAYOUT}")
            elif layout != _LAYOUT:
                raise LedgerUnavailable(f"{self._path} has layout {layout}, this version {_LAYOUT}")
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise LedgerUnavailable(f"{self._path} is damaged")
            if db.execute(_CONTRADICTIONS).fetchone()[0]:
                raise LedgerUnavailable(f"{self._path} contradicts itself: spent isn't charged")


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"{path}: {error.sqlite_errorname}") from None


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
        raise LedgerUnavailable(f"cannot use {path}: {reason}") from None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise LedgerUnavailable(f"{path} isn't a file of this user")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = f"Set its mode with 'chmod 600 {path}'."
        raise LedgerUnavailable(f"{path} may be read or written by others", remedy=remedy)
