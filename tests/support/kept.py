"""The state of a process in a test's folder."""

from pathlib import Path
from typing import Any

from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State

ROOM = "test-room"


def state(folder: Path, room: str = ROOM, **more: Any) -> State:
    """Open the state of a folder, or begin it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return State.open(folder / "state.db", Keys(folder / "state.key"), room, **more)
