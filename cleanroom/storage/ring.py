"""The keys of an open state: the master key, what follows from it, and the keys it wraps.

Rule: rows about a contract's tables are sealed under a key of these tables alone, so that they
can be erased by destroying it.
"""

import json
import sqlite3
import struct

from cleanroom.errors import StateDamaged
from cleanroom.storage.records import NAME_BYTES, Head, key_term
from cleanroom.storage.secret import KEY_BYTES, Place, SealBroken, Secret

_TABLES = 1024  # names of tables that are remembered


class Ring:
    """Every key that opens one state.

    Attributes:
        master_id: of the key in the key file.
        names: hashes names of rows. tally: hashes rows.
    """

    def __init__(self, room: str, master: Secret, path: object) -> None:
        self._room, self._path = room, path
        self.master_id = master.id
        self.names, self.tally = master.derive("names"), master.derive("tally")
        self._heads, self._wraps = master.derive("head"), master.derive("wrap")
        self._keys: dict[int, Secret] = {}
        self._about: dict[int, tuple[str, ...]] = {}
        self._tables: dict[tuple[str, ...], bytes] = {}
        self._at = -1

    @property
    def room_tag(self) -> bytes:
        """What tells a state of this room from one of another."""
        return self.names.mac(b"room", self._room.encode())[:NAME_BYTES]

    def name(self, *parts: str) -> bytes:
        """Return the hash under which a table, or a row of it, is filed."""
        if found := self._tables.get(parts):
            return found
        made = self.names.mac(*(part.encode() for part in parts))[:NAME_BYTES]
        if len(parts) == 1 and len(self._tables) < _TABLES:
            self._tables[parts] = made
        return made

    def seal_head(self, head: Head, version: int) -> bytes:
        """Seal what holds for all rows, at one version."""
        return self._heads.seal(head.to_bytes(), self._head_place(version))

    def open_head(self, sealed: bytes, version: int) -> Head:
        """Return what `seal_head` sealed.

        Raises:
            StateDamaged: if that is something else.
        """
        try:
            return Head.read(self._heads.unseal(sealed, self._head_place(version)))
        except SealBroken:
            raise StateDamaged(f"{self._path}: its head was changed or exchanged") from None

    def refresh(self, db: sqlite3.Connection, head: Head) -> None:
        """Unwrap the keys, if others were made or destroyed since."""
        if self._at == head.keys:
            return
        self.forget()
        for number, sealed in db.execute("SELECT id, sealed FROM key"):
            if type(number) is not int or type(sealed) is not bytes or number < 0:
                raise StateDamaged(f"{self._path}: a wrapped key was changed")
            self._keys[number], self._about[number] = self._unwrapped(number, sealed)
        self._at = head.keys

    def forget(self) -> None:
        """Forget all wrapped keys; `refresh` reads them again."""
        self._keys.clear()
        self._about.clear()
        self._at = -1

    def key(self, number: int) -> Secret:
        """Return a key by its number.

        Raises:
            StateDamaged: if there is none.
        """
        if number not in self._keys:
            raise StateDamaged(f"{self._path}: a key is missing that rows are sealed under")
        return self._keys[number]

    def about(self, number: int) -> tuple[str, ...]:
        """Return which of the contract's tables a key is for."""
        return self._about[number]

    def number_for(self, about: tuple[str, ...]) -> int | None:
        """Return the number of the key for these tables, if it was made."""
        return next((number for number, of in self._about.items() if of == about), None)

    def make(self, db: sqlite3.Connection, head: Head, about: tuple[str, ...]) -> Head:
        """Make and wrap the key for these tables; return the head with it."""
        number, key = head.next_key, Secret.new()
        content = key.exposed() + json.dumps(about).encode()
        sealed = self._wraps.seal(content, self._key_place(number))
        db.execute("INSERT INTO key VALUES (?, ?)", (number, sealed))
        self._keys[number], self._about[number], self._at = key, about, head.keys + 1
        return head.with_key(key_term(self.tally, number, sealed))

    def _unwrapped(self, number: int, sealed: bytes) -> tuple[Secret, tuple[str, ...]]:
        try:
            content = self._wraps.unseal(sealed, self._key_place(number))
        except SealBroken:
            what = f"{self._path}: a wrapped key was changed or exchanged"
            raise StateDamaged(what) from None
        return Secret(content[:KEY_BYTES]), tuple(json.loads(content[KEY_BYTES:]))

    def _head_place(self, version: int) -> Place:
        return Place(self._room, b"meta", b"", "head", version)

    def _key_place(self, number: int) -> Place:
        return Place(self._room, b"key", struct.pack(">Q", number), "sealed", number)
