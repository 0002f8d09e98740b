"""What sealing costs a process: a value on disk, a whole state opened and checked.

The limits are what the project promises: 10 ms a value, 1 s for 10^5 of them.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    Asked,
    Line,
    Measured,
    line,
    peak_memory_bytes,
    reset_peak_memory,
    timed,
)
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State

_WRITTEN_S, _OPENED_S = 0.010, 1e-5
_VALUE = bytes(200)


def state_write(asked: Asked) -> Line:
    """Put `rows` values, each on disk before the next; plaintext is SQLite, as durable."""
    with _folder() as folder, _opened(folder) as state, closing(_plain(folder)) as plain:

        def put() -> int:
            for i in range(asked.rows):
                with state.writing() as batch:
                    batch.put("values", f"{i}", _VALUE)
            with state.reading() as view:
                return sum(1 for _ in view.rows("values"))

        def insert() -> None:
            for i in range(asked.rows):
                plain.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (f"{i}", _VALUE))

        plain_s, _ = timed(insert, asked.runs)
        return _measured(asked, put, plain_s, _WRITTEN_S)


def state_open(asked: Asked) -> Line:
    """Open a state of `rows` values and check all; plaintext reads and counts SQLite's rows."""
    with _folder() as folder, closing(_plain(folder)) as plain:
        with _opened(folder) as state, state.writing() as batch:
            for i in range(asked.rows):
                batch.put("values", f"{i}", _VALUE)
        rows = ((f"{i}", _VALUE) for i in range(asked.rows))
        plain.execute("BEGIN")
        plain.executemany("INSERT INTO kept VALUES (?, ?)", rows)
        plain.execute("COMMIT")

        def count() -> int:
            return sum(1 for _ in plain.execute("SELECT * FROM kept"))

        def check() -> int:
            with _opened(folder):
                return asked.rows

        plain_s, _ = timed(count, asked.runs)
        return _measured(asked, check, plain_s, _OPENED_S)


def _measured(asked: Asked, work: Callable[[], Any], plaintext_s: float, limit_s: float) -> Line:
    reset_peak_memory()
    started = time.process_time()
    seconds, found = timed(work, asked.runs)
    cpu_s, peak = (time.process_time() - started) / asked.runs, peak_memory_bytes()
    measured = Measured((seconds,) * asked.runs, cpu_s, (0, 0, 0), 0, peak, peak, ())
    return line(asked, measured, plaintext_s, limit_s * asked.rows, correct=found == asked.rows)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _opened(folder: Path) -> State:
    return State.open(folder / "state.db", Keys(folder / "state.key"), "benchmark")


def _plain(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE kept (row TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
    return db


IN_PROCESS = {"state_write": state_write, "state_open": state_open}
SIZES = {"state_write": (100,), "state_open": (100_000,)}
