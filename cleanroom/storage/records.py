"""One row as it is on disk, what its sealed bytes hold, and the sum over all rows.

Rule: bytes and their places; no file and no lock.

The sum is a multiset hash: a keyed hash of every row and every wrapped key, added up modulo
2^256. It is kept up to date with one addition a change, and a row that is missing, exchanged, or
put back from an old copy changes it. Only its sealed value is on disk.
Source: the idea of MSet-Add-Hash: Clarke and others, ASIACRYPT 2003, abstract.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple, Self

from cleanroom.storage.secret import Place, Secret

MAX_NAME = 8192
MAX_VALUE_BYTES = 64 << 20
NEVER = 0
NAME_BYTES = 16
MODULUS = 1 << 256


_TYPES = (bytes, bytes, int, int, int, bytes)


class Malformed(Exception):
    """A row of a damaged file is of other types than any that were written."""


class Meta(NamedTuple):
    """The one row of the file about all of it.

    Attributes:
        room: tells a state of one room from another's. key_id: of the key that opens it.
        version: of the last transaction that changed something. head: sealed.
    """

    suite: str
    room: bytes
    key_id: bytes
    version: int
    head: bytes

    @classmethod
    def of(cls, found: Sequence[object] | None) -> Self:
        """Take it as the file gives it.

        Raises:
            Malformed: if a damaged file gives what was never written.
        """
        types = (str, bytes, bytes, int, bytes)
        if found is None or tuple(map(type, found)) != types:
            raise Malformed
        meta = cls(*found)  # type: ignore[arg-type]  # checked above
        if meta.version < 0:
            raise Malformed
        return meta


class Record(NamedTuple):
    """A row of the file.

    Attributes:
        tab, name: hashes of the table's name and, within it, the row's.
        key: number of the key that seals it.
        version: of the transaction that wrote it; grows with each.
        expires: the day from which it is no more, as a number; 0 if it stays.
        sealed: its names and its value.
    """

    tab: bytes
    name: bytes
    key: int
    version: int
    expires: int
    sealed: bytes

    @classmethod
    def of(cls, found: Sequence[object]) -> Self:
        """Take a row as the file gives it.

        Raises:
            Malformed: if a damaged file gives what was never written.
        """
        record = cls(*found)  # type: ignore[arg-type]  # checked below
        if tuple(map(type, record)) != _TYPES or min(record[2:5]) < 0:
            raise Malformed
        if len(record.tab) != NAME_BYTES or len(record.name) != NAME_BYTES:
            raise Malformed
        return record

    def term(self, tally: Secret) -> int:
        """Return what the row adds to the sum over all."""
        head = struct.pack(">B16s16sQQQ", 1, *self[:5])
        return tally.fold(head + self.sealed)


def place_of(room: str, record: Record) -> Place:
    """Return where a row's sealed bytes stand; its key and its last day belong to that."""
    column = f"value {record.key} {record.expires}"
    return Place(room, record.tab, record.name, column, record.version)


def key_term(tally: Secret, number: int, sealed: bytes) -> int:
    """Return what a wrapped key adds to the sum over all."""
    return tally.fold(struct.pack(">BQ", 2, number) + sealed)


def packed(table: str, row: str, value: bytes) -> bytes:
    """Return a row's names and value as one text, to be sealed."""
    names = table.encode(), row.encode()
    return struct.pack(">II", *map(len, names)) + b"".join(names) + value


def unpacked(content: bytes) -> tuple[str, str, bytes]:
    """Return the table, the row and the value of what `packed` made."""
    n_table, n_row = struct.unpack_from(">II", content)
    middle, end = 8 + n_table, 8 + n_table + n_row
    return content[8:middle].decode(), content[middle:end].decode(), content[end:]


@dataclass(frozen=True, slots=True)
class Head:
    """What holds for all rows together; sealed, and new with each transaction.

    Attributes:
        total: the sum over all rows and keys.
        rows: how many there are.
        keys: changes whenever a key is made or destroyed.
        next_key: a number that no key ever had.
        restored: why nothing may be charged: the state came out of a backup. Empty otherwise.
    """

    total: int = 0
    rows: int = 0
    keys: int = 0
    next_key: int = 1
    restored: str = ""

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, content: bytes) -> Self:
        return cls(**json.loads(content))

    def with_rows(self, total: int, rows: int) -> "Head":
        """Return the head after rows came or went."""
        return replace(self, total=(self.total + total) % MODULUS, rows=self.rows + rows)

    def with_key(self, term: int) -> "Head":
        """Return the head after a key was made under `next_key`."""
        total = (self.total + term) % MODULUS
        return replace(self, total=total, keys=self.keys + 1, next_key=self.next_key + 1)
