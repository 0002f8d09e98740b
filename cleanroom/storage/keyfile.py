"""The key file: the one secret that opens a state, in the clear or under a passphrase.

Rule: mode 0600, written whole before it counts. While a key is replaced there are two files, the
old one and its successor; the state says by id which of them is its own, so no crash loses it.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cleanroom.errors import StateKeyRefused, StateUnavailable
from cleanroom.storage.passphrase import Asked, Cost, Passphrase
from cleanroom.storage.secret import SUITE, Place, SealBroken, Secret

MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Keys:
    """Where a state's key is, and how to open it.

    Attributes:
        path: of the key file.
        sealed: whether a new key file is to be under a passphrase.
        asked: gives the passphrase, when a key file needs one.
    """

    path: Path
    sealed: bool = False
    asked: Asked = field(default_factory=Asked, repr=False)

    @property
    def successor(self) -> Path:
        """The file of the key that is to follow."""
        return self.path.with_name(f"{self.path.name}.new")

    @property
    def in_the_clear(self) -> "Keys":
        """The same file, without a passphrase from its next key on."""
        return Keys(self.path)

    def under(self, passphrase: Asked) -> "Keys":
        """Return the same file, under a passphrase from its next key on."""
        return Keys(self.path, sealed=True, asked=passphrase)

    @property
    def locked(self) -> bool:
        """Whether the key that counts is under a passphrase."""
        return self.exists() and "sealed" in _read(self.path)

    def kept_up(self) -> "Keys":
        """Return how a next key is to be kept if nobody says otherwise: as this one is."""
        return replace(self, sealed=self.sealed or self.locked)

    def exists(self) -> bool:
        """Return whether a state was begun under a key of this name."""
        return self.path.exists()

    def write_successor(self, secret: Secret) -> None:
        """Write a key beside the one that counts.

        Raises:
            StateUnavailable: if it can't be written.
            StateKeyRefused: if its passphrase is too weak.
        """
        passphrase = self.asked(anew=True) if self.sealed else None
        found = document(secret, passphrase)
        with _faults(self.successor):
            self.successor.unlink(missing_ok=True)
        write_new(self.successor, found)

    def settle(self, key_id: bytes) -> None:
        """Finish, or undo, what a crash may have left of a change of keys.

        Call it only while nobody else can: under the state's write lock.
        """
        if not self.successor.exists():
            return
        with _faults(self.path):
            if _is(self.successor, key_id):
                if self.path.exists():
                    _overwrite(self.path)
                self.successor.replace(self.path)
                _sync_folder(self.path.parent)
            elif _is(self.path, key_id):  # a successor that never counted, whole or in part
                self.successor.unlink()

    def find(self, key_id: bytes) -> Secret:
        """Return the key of this id.

        Raises:
            StateKeyRefused: if there is none, or the passphrase doesn't open it.
        """
        for path in (self.path, self.successor, self.path):  # it may be taking its place just now
            if _is(path, key_id):
                return self._opened(path, key_id)
        if not self.path.exists():
            raise StateKeyRefused(f"there is no key file {self.path}")
        _read(self.path)
        raise StateKeyRefused(f"{self.path} holds another key: a wrong one, or one from before")

    def _opened(self, path: Path, key_id: bytes) -> Secret:
        found = _read(path)
        passphrase = self.asked() if "sealed" in found else None
        try:
            secret = secret_of(found, passphrase)
        except StateKeyRefused as error:
            raise StateKeyRefused(f"{path}: {error.message}", remedy=error.remedy) from None
        if secret.id != key_id:
            raise StateKeyRefused(f"{path} is damaged: its id isn't that of its key")
        return secret


def write_new(path: Path, found: Mapping[str, object]) -> None:
    """Write a key file that isn't there yet.

    Raises:
        StateUnavailable: if it is, or can't be written.
    """
    with _faults(path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(json.dumps(found).encode())
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)


def secret_in(path: Path) -> Secret:
    """Return the key of a file that isn't under a passphrase.

    Raises:
        StateKeyRefused: if it is none, or others may read it.
    """
    try:
        return secret_of(_read(path), None)
    except StateKeyRefused as error:
        if str(path) in error.message:
            raise
        raise StateKeyRefused(f"{path}: {error.message}", remedy=error.remedy) from None


def document(secret: Secret, passphrase: Passphrase | None) -> dict[str, object]:
    """Return a key as JSON: in the clear, or under a passphrase that can't be guessed.

    Raises:
        StateKeyRefused: if it can.
    """
    named: dict[str, object] = {"suite": SUITE, "id": secret.id.hex()}
    if passphrase is None:
        return named | {"secret": secret.exposed().hex()}
    passphrase.demand_strong()
    cost = Cost.new()
    sealed = passphrase.key(cost).seal(secret.exposed(), _place(secret.id))
    return named | {"scrypt": cost.document(), "sealed": sealed.hex()}


def secret_of(found: Mapping[str, object], passphrase: Passphrase | None) -> Secret:
    """Return the key of such a document.

    Raises:
        StateKeyRefused: if it is none, or the passphrase isn't its own.
    """
    try:
        if "secret" in found:
            return Secret(bytes.fromhex(str(found["secret"])))
        key_id, sealed = (bytes.fromhex(str(found[name])) for name in ("id", "sealed"))
        cost = _cost(found["scrypt"])
    except (KeyError, ValueError, TypeError):
        raise StateKeyRefused("is no key file") from None
    if passphrase is None:
        raise StateKeyRefused("is under a passphrase")
    try:
        return Secret(passphrase.key(cost).unseal(sealed, _place(key_id)))
    except SealBroken:
        raise StateKeyRefused("the passphrase doesn't open it") from None


def _cost(found: object) -> Cost:
    if not isinstance(found, dict):
        raise TypeError
    numbers = {name: int(found[name]) for name in ("n", "r", "p")}
    return Cost(bytes.fromhex(str(found["salt"])), **numbers)


def _place(key_id: bytes) -> Place:
    return Place("", b"key file", key_id, "secret", 0)


def _is(path: Path, key_id: bytes) -> bool:
    """Return whether a key file holds the key of this id."""
    try:
        return path.exists() and _read(path).get("id") == key_id.hex()
    except StateKeyRefused:
        return False


def _read(path: Path) -> Mapping[str, object]:
    """Return a private key file's JSON.

    Raises:
        StateKeyRefused: if others may read it, or it is none that this version knows.
    """
    try:
        with path.open("rb") as file:
            found_file = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StateKeyRefused(f"cannot read {path}: {error.strerror}") from None
    others = found_file.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if others or found_file.st_uid != os.geteuid():
        remedy = f"Set its mode with 'chmod 600 {path}', then 'cleanroom state rotate-key'."
        raise StateKeyRefused(f"{path} may be read or written by others", remedy=remedy)
    try:
        found = json.loads(content) if len(content) <= MAX_BYTES else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StateKeyRefused(f"{path} is no key file")
    if found.get("suite") != SUITE:
        raise StateKeyRefused(f"{path} is of a suite that this version doesn't know")
    return found


def _overwrite(path: Path) -> None:
    """Write zeros over a key that no longer counts, so that its blocks don't keep it."""
    with path.open("r+b") as file:
        file.write(bytes(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn the system's errors about a key file into typed ones."""
    try:
        yield
    except OSError as error:
        raise StateUnavailable(f"cannot write {path}: {error.strerror}") from None
