"""Backups: all values of a state in one file, sealed under a key of the backup's own.

Rule: what the file says, front to back. Each backup has a key that opens nothing else, so to
destroy the key is to destroy the backup.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from cleanroom.errors import StateDamaged, StateUnavailable
from cleanroom.storage.records import MAX_NAME, MAX_VALUE_BYTES
from cleanroom.storage.secret import OVERHEAD_BYTES, SUITE, Place, SealBroken, Secret
from cleanroom.storage.view import View, Whole

FORMAT = "cleanroom backup v1"
_ROW, _END = 1, 2
_FRAME = struct.Struct(">BI")
_MAX_HEADER = 8192
_MAX_FRAME = MAX_VALUE_BYTES + 64 * MAX_NAME + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds.

    Attributes:
        made: the day (UTC). rows: how many values.
        digest: of all of them, as `digest_of` gives it.
    """

    made: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of the file; it is in the clear, and every frame is bound to it.

    Attributes:
        room: the name of whose state it is. id: names the backup.
        key: the backup's key under a passphrase; None where it is in a file of its own.
    """

    room: str
    id: str
    key: dict[str, object] | None

    def to_bytes(self) -> bytes:
        return json.dumps({"format": FORMAT, "suite": SUITE, **asdict(self)}).encode() + b"\n"

    @classmethod
    def read(cls, file: BinaryIO, path: Path) -> Self:
        """Read it from the beginning of a file.

        Raises:
            StateDamaged: if it is no backup. StateUnavailable: if it is of another suite.
        """
        try:
            found = json.loads(file.readline(_MAX_HEADER))
            kind, suite = found.pop("format"), found.pop("suite")
            header = cls(**found)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StateDamaged(f"{path} is no backup") from None
        if kind != FORMAT or suite != SUITE:
            raise StateUnavailable(f"{path} is of a suite that this version doesn't know")
        return header


def id_of(path: Path) -> str:
    """Return what names a backup, in certificates of what was erased since."""
    with path.open("rb") as file:
        return Header.read(file, path).id


def digest_of(view: View) -> str:
    """Return a hash of all values with their names and days, in whatever order; hexadecimal."""
    return _digest([hashlib.sha256(_packed(whole)).digest() for whole in view.everything()])


def write(view: View, path: Path, header: Header, secret: Secret, made: str) -> Summary:
    """Write all values to a new file of mode 0600.

    Raises:
        StateUnavailable: if it is there already or can't be written; nothing is left of it then.
    """
    place, hashes = _Place(header), list[bytes]()
    with _new_file(path) as file:
        file.write(header.to_bytes())
        for whole in view.everything():
            content = _packed(whole)
            hashes.append(hashlib.sha256(content).digest())
            _write(file, _ROW, secret.seal(content, place.next(_ROW)))
        summary = Summary(made, len(hashes), _digest(hashes))
        _write(file, _END, secret.seal(json.dumps(asdict(summary)).encode(), place.next(_END)))
        file.flush()
        os.fsync(file.fileno())
    return summary


def rows(file: BinaryIO, path: Path, header: Header, secret: Secret) -> Iterator[Whole | Summary]:
    """Yield the values of a backup, behind its header, and at last what it says of all.

    Raises:
        StateDamaged: if it was changed or cut short, or is under another key.
    """
    place, hashes = _Place(header), list[bytes]()
    while True:
        kind, sealed = _frame(file, path)
        try:
            content = secret.unseal(sealed, place.next(kind))
        except SealBroken:
            raise StateDamaged(f"{path} was changed, or is under another key") from None
        if kind == _END:
            break
        hashes.append(hashlib.sha256(content).digest())
        yield _unpacked(content)
    summary = Summary(**json.loads(content))
    if file.read(1) or (summary.rows, summary.digest) != (len(hashes), _digest(hashes)):
        raise StateDamaged(f"{path} doesn't hold what it says")
    yield summary


class _Place:
    """Where each frame of one backup stands."""

    def __init__(self, header: Header) -> None:
        self._header, self._index = header, 0
        self._bound = hashlib.sha256(header.to_bytes()).digest()

    def next(self, kind: int) -> Place:
        self._index += 1
        return Place(self._header.room, b"backup", self._bound, f"frame {kind}", self._index)


def _packed(whole: Whole) -> bytes:
    names = json.dumps([whole.table, whole.row, whole.about, whole.expires]).encode()
    return struct.pack(">I", len(names)) + names + whole.value


def _unpacked(content: bytes) -> Whole:
    (length,) = struct.unpack_from(">I", content)
    table, row, about, expires = json.loads(content[4 : 4 + length])
    return Whole(table, row, tuple(about), expires, content[4 + length :])


def _digest(hashes: list[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


def _write(file: BinaryIO, kind: int, sealed: bytes) -> None:
    file.write(_FRAME.pack(kind, len(sealed)) + sealed)


def _frame(file: BinaryIO, path: Path) -> tuple[int, bytes]:
    head = file.read(_FRAME.size)
    kind, length = _FRAME.unpack(head) if len(head) == _FRAME.size else (0, 0)
    if kind not in (_ROW, _END) or length > _MAX_FRAME:
        raise StateDamaged(f"{path} was changed or cut short")
    sealed = file.read(length)
    if len(sealed) != length:
        raise StateDamaged(f"{path} was changed or cut short")
    return kind, sealed


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StateUnavailable(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StateUnavailable(f"cannot write {path}: {error.strerror}") from None
        raise
