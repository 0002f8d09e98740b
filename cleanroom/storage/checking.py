"""Whether all rows of a state are those that were last written.

Rule: reads and compares; changes nothing. What isn't right is named, never shown.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from cleanroom.errors import StateDamaged
from cleanroom.storage.records import MODULUS, Head, Malformed, Record, key_term, place_of
from cleanroom.storage.ring import Ring
from cleanroom.storage.secret import SealBroken


def check(db: sqlite3.Connection, ring: Ring, head: Head, room: str, path: Path) -> None:
    """Compare the sum over all rows with the sealed one.

    Raises:
        StateDamaged: saying which of the ways it differs in.
    """
    total, n_rows = 0, 0
    try:
        for number, sealed in db.execute("SELECT id, sealed FROM key"):
            total += key_term(ring.tally, number, sealed)
        for found in _records(db):
            total += found.term(ring.tally)
            n_rows += 1
    except Malformed:
        raise StateDamaged(f"{path}: rows were changed") from None
    if (total % MODULUS, n_rows) == (head.total, head.rows):
        return
    raise StateDamaged(f"{path}: {_reason(db, ring, head, room, n_rows)}")


def _reason(db: sqlite3.Connection, ring: Ring, head: Head, room: str, n_rows: int) -> str:
    if broken := sum(not _opens(ring, room, found) for found in _records(db)):
        rows = "1 row was" if broken == 1 else f"{broken} rows were"
        return f"{rows} changed or exchanged"
    if n_rows < head.rows:
        return f"{head.rows - n_rows} rows are missing"
    if n_rows > head.rows:
        return f"{n_rows - head.rows} rows are there that were removed"
    return "rows or keys were put back from an old copy"


def _records(db: sqlite3.Connection) -> Iterator[Record]:
    found = db.execute("SELECT tab, name, key, version, expires, sealed FROM row")
    return map(Record.of, found)


def _opens(ring: Ring, room: str, record: Record) -> bool:
    try:
        ring.key(record.key).unseal(record.sealed, place_of(room, record))
    except (SealBroken, StateDamaged):
        return False
    return True
