"""An app's code: the bytes of its files, and the hash that owners approve.

Rule: what is hashed is what runs. The files are read once; hash, copy and components come from the
bytes in memory, never again from the folder. Flower isn't imported.
"""

import hashlib
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.errors import AppRefused
from cleanroom.flower.limits import Limits

MAX_FILES, MAX_BYTES = 1000, 64 << 20
_TAG = b"pets-cleanroom flower app 1\n"
_LENGTH_BYTES = 8

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Option = str | int | float | bool


class App(Strict):
    """An app that this member approved, as its TOML file names it.

    Attributes:
        folder: with the app's files; hidden ones and Python's caches don't belong to it.
        sha256: what `cleanroom app FOLDER` printed when the code was read and approved.
        log: a file for what the app prints, and why it failed: it may tell rows.
    """

    folder: Path
    sha256: Sha256
    log: Path | None = None
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Code:
    """An app as it was read.

    Attributes:
        files: contents by path within the folder, with `/`, sorted.
        client, server: "module:attribute".
        config: the run's settings that its pyproject.toml gives, by dotted name.
    """

    files: Mapping[str, bytes]
    client: str
    server: str
    config: Mapping[str, Option]

    @property
    def sha256(self) -> str:
        """The hash over all paths and contents, each with its length."""
        digest = hashlib.sha256(_TAG)
        for path, content in self.files.items():
            for part in path.encode(), content:
                digest.update(len(part).to_bytes(_LENGTH_BYTES, "little") + part)
        return digest.hexdigest()

    def write(self, folder: Path) -> None:
        """Write the files into an empty folder."""
        for path, content in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


class Approved:
    """The apps that a process may run."""

    def __init__(self) -> None:
        self._apps: dict[tuple[str, str], App] = {}

    def add(self, apps: Mapping[str, App]) -> None:
        """Approve apps, by name."""
        for name, app in apps.items():
            self._apps[name, app.sha256] = app

    def find(self, name: str, sha256: str) -> tuple[App, Code]:
        """Read an app's code, if it is approved and what a job asks for.

        Raises:
            AppRefused: if there is no such app, or other code, or the code changed since.
        """
        app = self._apps.get((name, sha256))
        if app is None:
            if any(name == known for known, _ in self._apps):
                raise AppRefused(f"the job runs other code of '{name}' than is approved here")
            raise AppRefused(f"no app '{name}' is approved here")
        code = read(app.folder)
        if code.sha256 != sha256:
            raise AppRefused(f"the code of '{name}' changed after it was approved")
        return app, code


# What this process's own file names; a job can only choose among these.
APPROVED = Approved()


def read(folder: Path) -> Code:
    """Read an app's folder.

    Raises:
        AppRefused: if it can't be read, holds links or anything but files, too much, or no app.
    """
    try:
        files = dict(sorted(_files(folder)))
    except OSError as error:
        raise AppRefused(f"an app's folder can't be read: {type(error).__name__}") from None
    settings = _settings(files)
    client, server = _components(files, settings)
    config = dict(_flat(settings.get("config", {})))
    return Code(files, client, server, config)


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    count, left = 0, MAX_BYTES
    for folder, folders, names in os.walk(root, onerror=_fail):
        folders[:] = [name for name in folders if not _ignored(name)]
        if any(os.path.islink(os.path.join(folder, name)) for name in folders):
            raise AppRefused("an app's folder with a link in it")
        for name in names:
            if _ignored(name):
                continue
            path = Path(folder, name)
            content = _content(path, left)
            count, left = count + 1, left - len(content)
            if count > MAX_FILES or left < 0:
                raise AppRefused(f"an app of more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB")
            yield path.relative_to(root).as_posix(), content


def _fail(error: OSError) -> None:
    raise error


def _ignored(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__" or name.endswith(".pyc")


def _content(path: Path, most: int) -> bytes:
    """Read a file, but for its end if it is longer than `most`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AppRefused("an app's folder with something in it that isn't a file")
        return file.read(most + 1)


def _settings(files: Mapping[str, bytes]) -> Mapping[str, object]:
    """Return what pyproject.toml says of the app: the table [tool.flwr.app]."""
    try:
        found: object = tomllib.loads(files.get("pyproject.toml", b"").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise AppRefused("an app's pyproject.toml isn't TOML") from None
    for key in ("tool", "flwr", "app"):
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _components(files: Mapping[str, bytes], settings: Mapping[str, object]) -> tuple[str, str]:
    """Return where the app's two halves are, as in Flower or by the names of its templates."""
    named = settings.get("components")
    if isinstance(named, dict):
        both = named.get("clientapp"), named.get("serverapp")
        if isinstance(both[0], str) and isinstance(both[1], str):
            return both[0], both[1]
    for client, server in ("client_app", "server_app"), ("client", "server"):
        if f"{client}.py" in files and f"{server}.py" in files:
            return f"{client}:app", f"{server}:app"
    raise AppRefused(
        "a folder without an app: neither [tool.flwr.app.components] nor client_app.py"
    )


def _flat(config: object, prefix: str = "") -> Iterator[tuple[str, Option]]:
    """Name nested settings by their path, as Flower does."""
    for key, value in config.items() if isinstance(config, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, Option):
            yield f"{prefix}{key}", value
        else:
            raise AppRefused(f"the app's setting '{prefix}{key}' is neither text nor number")
