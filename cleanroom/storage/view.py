"""What one transaction sees of a state, and what it may change.

Rule: values by table and row. Every value that is handed out was sealed for the very names that
were asked for.
"""

import datetime as dt
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cleanroom.errors import StateDamaged, StateUnavailable, TableErased
from cleanroom.storage.checking import check
from cleanroom.storage.records import (
    MAX_NAME,
    MAX_VALUE_BYTES,
    NEVER,
    Head,
    Malformed,
    Record,
    packed,
    place_of,
    unpacked,
)
from cleanroom.storage.ring import Ring
from cleanroom.storage.secret import SealBroken

ERASED = "erased"
_COLUMNS = "tab, name, key, version, expires, sealed"


class Whole(NamedTuple):
    """A row with everything that belongs to it.

    Attributes:
        about: the contract's tables that it goes with.
        expires: the day from which it is no more, as a number; 0 if it stays.
    """

    table: str
    row: str
    about: tuple[str, ...]
    expires: int
    value: bytes


class View:
    """Values as they are at one moment. Use it within `State.reading()`.

    Args:
        version: of the last transaction that changed something.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        ring: Ring,
        room: str,
        path: Path,
        head: Head,
        version: int,
        today: dt.date,
    ) -> None:
        self._db, self._ring, self._room, self._path = db, ring, room, path
        self._head, self._version, self._today = head, version, today.toordinal()

    @property
    def restored(self) -> str:
        """Why nothing may be charged, as the state came out of a backup; empty otherwise."""
        return self._head.restored

    @property
    def version(self) -> int:
        """Grows with every transaction that changes something."""
        return self._version

    def get(self, table: str, row: str) -> bytes | None:
        """Return a value; None if it isn't there, or no more.

        Raises:
            StateDamaged: if it was changed or exchanged.
        """
        found = self._find(table, row)
        return None if found is None or self._is_over(found) else self._value(found, table, row)

    def rows(self, table: str) -> Iterator[tuple[str, bytes]]:
        """Return the rows of a table and their values, in no order that means anything."""
        tab = self._ring.name(table)
        select = f"SELECT {_COLUMNS} FROM row WHERE tab = ?"  # noqa: S608 -- constant columns
        for found in self._db.execute(select, (tab,)):
            record = self._record(found)
            if not self._is_over(record):
                found_in, row, value = self._content(record)
                if found_in != table:
                    raise StateDamaged(f"{self._path}: a row stands in another's place")
                yield row, value

    def everything(self, among: str = "row") -> Iterator[Whole]:
        """Return all rows of all tables, in no order that means anything.

        Args:
            among: the table of the file that holds them.
        """
        for found in self._db.execute(f"SELECT {_COLUMNS} FROM {among}"):  # noqa: S608 -- constant
            record = self._record(found)
            if not self._is_over(record):
                table, row, value = self._content(record)
                yield Whole(table, row, self._ring.about(record.key), record.expires, value)

    def erased(self) -> frozenset[str]:
        """Return the contract's tables that were erased here."""
        return frozenset(row for row, _ in self.rows(ERASED))

    @property
    def successor(self) -> Head:
        """The head of a state with other keys and, as yet, nothing in it."""
        return Head(next_key=self._head.next_key, keys=self._head.keys, restored=self.restored)

    def check(self) -> None:
        """Compare all rows with what the head says of them.

        Raises:
            StateDamaged: saying in which way they differ.
        """
        check(self._db, self._ring, self._head, self._room, self._path)

    def _is_over(self, record: Record) -> bool:
        return record.expires != NEVER and record.expires <= self._today

    def _find(self, table: str, row: str) -> Record | None:
        where = self._ring.name(table), self._ring.name(table, row)
        select = f"SELECT {_COLUMNS} FROM row WHERE tab = ? AND name = ?"  # noqa: S608 -- the same
        found = self._db.execute(select, where).fetchone()
        return None if found is None else self._record(found)

    def _record(self, found: Sequence[object]) -> Record:
        try:
            return Record.of(found)
        except Malformed:
            raise StateDamaged(f"{self._path}: a row was changed") from None

    def _value(self, record: Record, table: str, row: str) -> bytes:
        *names, value = self._content(record)
        if names != [table, row]:
            raise StateDamaged(f"{self._path}: a row stands in another's place")
        return value

    def _content(self, record: Record) -> tuple[str, str, bytes]:
        try:
            key = self._ring.key(record.key)
            return unpacked(key.unseal(record.sealed, place_of(self._room, record)))
        except SealBroken:
            raise StateDamaged(f"{self._path}: a row was changed or exchanged") from None


class Batch(View):
    """Changes that are made together or not at all. Use it within `State.writing()`."""

    changed = False

    def put(
        self,
        table: str,
        row: str,
        value: bytes,
        *,
        about: Collection[str] = (),
        expires: dt.date | None = None,
    ) -> None:
        """Set a value; what was there before is gone.

        Args:
            table, row: 1 to 8192 characters each.
            value: at most 64 MiB.
            about: the contract's tables that the value tells of; it goes when one is erased.
            expires: the day (UTC) from which it is no more.

        Raises:
            TableErased: if a table that it is about was erased here.
        """
        if not all(0 < len(name) <= MAX_NAME for name in (table, row)):
            raise ValueError(f"a name has 1 to {MAX_NAME} characters")
        if len(value) > MAX_VALUE_BYTES:
            raise StateUnavailable(f"{self._path}: a value of more than {MAX_VALUE_BYTES} bytes")
        whole = Whole(table, row, self._tables(about), _day(expires), value)
        self.delete(table, row)
        self.add(whole)

    def add(self, whole: Whole) -> None:
        """Set a value that isn't there, with everything that belongs to it, as it was read."""
        number = self._ring.number_for(whole.about)
        if number is None:
            number = self._head.next_key
            self._head = self._ring.make(self._db, self._head, whole.about)
        tab, name = self._ring.name(whole.table), self._ring.name(whole.table, whole.row)
        bare = Record(tab, name, number, self._version + 1, whole.expires, b"")
        content = packed(whole.table, whole.row, whole.value)
        sealed = self._ring.key(number).seal(content, place_of(self._room, bare))
        record = bare._replace(sealed=sealed)
        self._db.execute("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", record)
        self._head = self._head.with_rows(record.term(self._ring.tally), 1)
        self.changed = True

    def delete(self, table: str, row: str) -> None:
        """Remove a value, if it is there."""
        if (found := self._find(table, row)) is not None:
            self._remove(found)

    def purge(self) -> None:
        """Remove everything whose day has come."""
        where = "expires != 0 AND expires <= ?"
        select = f"SELECT {_COLUMNS} FROM row WHERE {where}"  # noqa: S608 -- constants
        for found in self._db.execute(select, (self._today,)).fetchall():
            self._remove(self._record(found))

    def mark_restored(self, why: str) -> None:
        """Allow no charge from now on; with an empty text, allow them again."""
        self._head = replace(self._head, restored=why)
        self.changed = True

    def finish(self) -> None:
        """Seal what holds for all rows now; nothing may follow."""
        if self.changed:
            self._version += 1
            sealed = self._ring.seal_head(self._head, self._version)
            self._db.execute("UPDATE meta SET version = ?, head = ?", (self._version, sealed))

    def _tables(self, about: Collection[str]) -> tuple[str, ...]:
        tables = tuple(sorted(set(about)))
        for table in tables:
            if self.get(ERASED, table) is not None:
                raise TableErased(f"table {table} was erased here")
        return tables

    def _remove(self, record: Record) -> None:
        self._db.execute("DELETE FROM row WHERE tab = ? AND name = ?", record[:2])
        self._head = self._head.with_rows(-record.term(self._ring.tally), -1)
        self.changed = True


def _day(expires: dt.date | None) -> int:
    return NEVER if expires is None else expires.toordinal()
