"""A state into a backup, and out of one again.

Rule: a backup is checked whole before anything of it is used; what comes out of one pays nothing
until its owner says that nothing was charged since, and that is written down.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cleanroom.errors import StateUnavailable
from cleanroom.storage import backup
from cleanroom.storage.backup import Header, Summary
from cleanroom.storage.keyfile import Keys, document, secret_in, secret_of, write_new
from cleanroom.storage.passphrase import Asked
from cleanroom.storage.secret import ID_BYTES, Secret
from cleanroom.storage.state import State
from cleanroom.storage.view import Batch, Whole

BACKUPS = "backup"


@dataclass(frozen=True, slots=True)
class Lock:
    """What opens a backup: a key in a file of its own, or a passphrase.

    Attributes:
        file: made with the backup; None for a passphrase.
    """

    file: Path | None
    asked: Asked

    def put_on(self, secret: Secret) -> dict[str, object] | None:
        """Keep a new backup's key; return what of it stands in the backup itself.

        Raises:
            StateUnavailable: if its file is there already or can't be written.
            StateKeyRefused: if the passphrase is too easily guessed.
        """
        if self.file is None:
            return document(secret, self.asked(anew=True))
        write_new(self.file, document(secret, None))
        return None

    def opened(self, header: Header) -> Secret:
        """Return a backup's key.

        Raises:
            StateKeyRefused: if this doesn't open it.
        """
        if header.key is not None:
            return secret_of(header.key, self.asked())
        if self.file is None:
            raise StateUnavailable("the backup's key is in a file", remedy="Name that file.")
        return secret_in(self.file)


def back_up(state: State, path: Path, lock: Lock) -> Summary:
    """Write a backup. The state remembers it, so that an erasure can name it.

    Raises:
        StateUnavailable, StateKeyRefused: if it can't be written or locked.
    """
    made, secret, name = state.today.isoformat(), Secret.new(), secrets.token_hex(ID_BYTES)
    header = Header(state.room, name, lock.put_on(secret))
    with state.writing() as batch:
        batch.put(BACKUPS, name, made.encode())
    with state.reading() as view:
        return backup.write(view, path, header, secret, made)


def restore(source: Path, lock: Lock, path: Path, keys: Keys, room: str) -> Summary:
    """Make a new state of a backup, under a new key. Nothing can be charged to it yet.

    Raises:
        StateUnavailable: if there is a state already, or the backup is of another room.
        StateDamaged: if the backup was changed or cut short.
        StateKeyRefused: if the lock doesn't open it.
    """
    if path.exists() or keys.exists():
        remedy = "Move the old file and its key away; keep them until all is well."
        raise StateUnavailable(f"{path} or its key is there already", remedy=remedy)
    with _opened(source) as file:
        header = Header.read(file, source)
        if header.room != room:
            raise StateUnavailable(f"{source} isn't of the room {room}")
        secret, start, summary = lock.opened(header), file.tell(), Summary("", 0, "")
        for one in backup.rows(file, source, header, secret):
            summary = one if isinstance(one, Summary) else summary
        file.seek(start)
        with State.open(path, keys, room) as state, state.writing() as batch:
            for one in backup.rows(file, source, header, secret):
                if isinstance(one, Whole):
                    batch.add(one)
            batch.mark_restored(f"it came out of a backup of {summary.made}")
    return summary


def confirm(batch: Batch) -> None:
    """Let a state that came out of a backup pay again."""
    batch.mark_restored("")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise StateUnavailable(f"cannot read {path}: {error.strerror}") from None
