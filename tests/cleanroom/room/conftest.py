"""One tiny room, made once: identities and contract cost more than a test."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_room

from cleanroom.recipient.client import Client
from cleanroom.recipient.room import Room
from cleanroom.session.member import Membership


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("room")


@pytest.fixture(scope="session")
def room(folder: Path) -> dict[str, Membership]:
    return tiny_room.make_room(folder)


class Processes:
    """The room's processes, each a child that ends with its stdin."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.lines: dict[str, list[str]] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self.running[name] = subprocess.Popen(
                [sys.executable, tiny_room.__file__, str(self._folder / f"{name}.toml")],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        for name in names:
            assert any('"ready"' in line for line in self.running[name].stderr), name

    def stop(self) -> dict[str, tuple[int, str]]:
        """End all; return exit code and remaining log of each."""
        for process in self.running.values():
            process.stdin.close()
        ended = {n: (p.wait(10), p.stderr.read()) for n, p in self.running.items()}
        self.running = {}
        return ended


@pytest.fixture(scope="module")
def processes(folder: Path, room: dict[str, Membership]) -> Iterator[Processes]:
    processes = Processes(folder)
    processes.start("coordinator", *tiny_room.OWNERS, "hospital")
    yield processes
    processes.stop()


@pytest.fixture
def analyst(room: dict[str, Membership]) -> Iterator[Room]:
    with Room(Client(room["analyst"], tiny_room.tiny_engine())) as client:
        yield client
