"""The state of one process: values in one sealed file, changed durably and all together.

Rule: transactions, and the one moment at which the file is made, opened or found wrong.
"""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeAlias, TypeVar

from cleanroom.errors import StateDamaged, StateUnavailable
from cleanroom.storage.file import MAX_BYTES, OLD, StateFile
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.records import Head, Malformed, Meta
from cleanroom.storage.ring import Ring
from cleanroom.storage.secret import SUITE, Secret
from cleanroom.storage.view import ERASED, Batch, View

Today: TypeAlias = Callable[[], dt.date]
Note: TypeAlias = Callable[[Batch, int], None]
V = TypeVar("V", bound=View)


def utc_today() -> dt.date:
    """Return this day in UTC."""
    return dt.datetime.now(dt.UTC).date()


class State:
    """An open state. Safe to use from many threads and many processes at once.

    Attributes:
        path: its file. room: to which it belongs.
    """

    def __init__(self, file: StateFile, keys: Keys, room: str, today: Today) -> None:
        self.path, self.room = file.path, room
        self._file, self._keys, self._today = file, keys, today
        self._ring: Ring | None = None
        self._seen = 0
        self._purged: dt.date | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        keys: Keys,
        room: str,
        *,
        max_bytes: int = MAX_BYTES,
        today: Today = utc_today,
    ) -> Self:
        """Open a state and check all of it, or begin one where neither file nor key is.

        Args:
            keys: where its key is; the file is made with the state.
            room: the room's name in its contract.
            max_bytes: beyond it nothing more can be written.
            today: the day in UTC, on which values expire.

        Raises:
            StateUnavailable: if a file can't be used, or others may read it.
            StateKeyRefused: if the key is missing, wrong, or under another passphrase.
            StateDamaged: if rows were changed, exchanged, removed, or put back from an old copy.
        """
        if keys.exists() and not path.exists():
            remedy = "Restore a backup. Beginning anew would give back every privacy budget."
            raise StateUnavailable(f"{path} is gone; its key {keys.path} is there", remedy=remedy)
        file = StateFile.open(path, max_bytes)
        try:
            state = cls(file, keys, room, today)
            state._begin()
            with file.transaction(write=True) as db:
                keys.settle(state._meta(db).key_id)
            state._check()
        except BaseException:
            file.close()
            raise
        return state

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._file.close()

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Read what is on disk, all of one moment."""
        with self._file.transaction(write=False) as db:
            yield self._view(View, db)

    @contextmanager
    def writing(self) -> Iterator[Batch]:
        """Hold the only write lock from before the first read until all is on disk.

        An error undoes everything that was written since. Within it, no other transaction of the
        same thread can begin.

        Raises:
            StateUnavailable: if it can't be made durable; nothing is changed then.
        """
        today = self._today()
        try:
            with self._file.transaction(write=True) as db:
                batch = self._view(Batch, db)
                if today != self._purged:
                    batch.purge()
                yield batch
                batch.finish()
            self._seen, self._purged = max(self._seen, batch.version), today
        except BaseException:
            if self._ring is not None:
                self._ring.forget()  # of keys that were made and undone
            raise

    @property
    def today(self) -> dt.date:
        """The day on which values expire."""
        return self._today()

    @property
    def restored(self) -> str:
        """Why nothing may be charged, as the state came out of a backup; empty otherwise."""
        with self.reading() as view:
            return view.restored

    def rekey(
        self, keys: Keys | None = None, *, without: str = "", note: Note | None = None
    ) -> int:
        """Seal everything anew under new keys; the old ones open nothing of what is then there.

        Killed at any time, it has happened or it hasn't: the next to open the state finishes it
        or undoes it. Other processes that have the state open go on, with the new key file.

        Args:
            keys: how the new key file is kept; by default as the old one.
            without: one of the contract's tables; what tells of it isn't sealed again, and the
                state takes nothing more about it.
            note: writes down what happened, with the number of values left behind.

        Returns:
            How many values were left behind.

        Raises:
            StateUnavailable: if there is no room for both the old and the new. Nothing changed.
        """
        keys = keys or self._keys.kept_up()
        master = Secret.new()
        try:
            with self._file.transaction(write=True) as db:
                keys.write_successor(master)
                ring = Ring(self.room, master, self.path)
                batch, left = self._sealed_anew(db, ring, without)
                if note is not None:
                    note(batch, left)
                batch.finish()
        finally:
            with self._file.transaction(write=True) as db:
                keys.settle(self._meta(db).key_id)
        self._keys, self._ring = keys, ring
        self._file.compact()
        return left

    def _sealed_anew(self, db: sqlite3.Connection, ring: Ring, without: str) -> tuple[Batch, int]:
        old, left = self._view(View, db), 0
        self._file.set_aside(db)
        where = self.room, self.path, old.successor, old.version, self._today()
        batch = Batch(db, ring, *where)
        for whole in old.everything(OLD):
            if without in whole.about:
                left += 1
            else:
                batch.add(whole)
        if without:
            batch.put(ERASED, without, self._today().isoformat().encode())
        self._file.drop_old(db)
        db.execute("UPDATE meta SET key_id = ?, room = ?", (ring.master_id, ring.room_tag))
        batch.changed = True
        return batch, left

    # --- opening -----------------------------------------------------------------------

    def _begin(self) -> None:
        """Make the first key and an empty head, where the file is new."""
        with self._file.transaction(write=True) as db:
            if db.execute("SELECT count(*) FROM meta").fetchone()[0]:
                return
            if self._keys.exists():
                remedy = "Restore a backup. Beginning anew would give back every privacy budget."
                what = f"{self.path} is empty; its key {self._keys.path} is there"
                raise StateUnavailable(what, remedy=remedy)
            master = Secret.new()
            self._keys.write_successor(master)
            ring = Ring(self.room, master, self.path)
            values = SUITE, ring.room_tag, master.id, 1, ring.seal_head(Head(), 1)
            db.execute("INSERT INTO meta VALUES (1, ?, ?, ?, ?, ?)", values)
            self._ring = ring

    def _check(self) -> None:
        with self.reading() as view:
            view.check()
        with self.writing():
            pass  # what is over goes, as with the first change of every day

    def _view(self, kind: type[V], db: sqlite3.Connection) -> V:
        suite, room, key_id, version, sealed = self._meta(db)
        if suite != SUITE:
            raise StateUnavailable(f"{self.path} is of a suite that this version doesn't know")
        if version < self._seen:
            raise StateDamaged(f"{self.path} is older than what this process saw of it")
        ring = self._ring_of(key_id)
        if room != ring.room_tag:
            raise StateUnavailable(f"{self.path} isn't of the room {self.room}")
        head = ring.open_head(sealed, version)
        ring.refresh(db, head)
        self._seen = version
        return kind(db, ring, self.room, self.path, head, version, self._today())

    def _ring_of(self, key_id: bytes) -> Ring:
        """Return the keys that are in use now; another process may have changed them."""
        if self._ring is None or self._ring.master_id != key_id:
            self._ring = Ring(self.room, self._keys.find(key_id), self.path)
        return self._ring

    def _meta(self, db: sqlite3.Connection) -> Meta:
        try:
            select = "SELECT suite, room, key_id, version, head FROM meta"
            return Meta.of(db.execute(select).fetchone())
        except Malformed:
            raise StateDamaged(f"{self.path}: its head was changed or removed") from None
