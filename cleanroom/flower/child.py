"""The sandboxed process: it locks itself in, then runs one half of one app until it is told to end.

Rule: until `lock` returns, standard library and this package's plain modules only. Whatever the app
does to this process, the other end of the pipe takes nothing from it unchecked.
"""

import json
import os
import select
import sys
import threading
from importlib.util import find_spec
from typing import Any

from cleanroom.flower.lockdown import LockdownUnavailable, Resources, lock

_LENGTH_BYTES = 8


def main() -> None:
    """Read from stdin what to run, and run it."""
    start = _start()
    reading, writing = _own_descriptors()
    sys.path[:] = start["path"]
    try:
        lock(Resources(**start["resources"]), start["readable"], start["writable"])
    except LockdownUnavailable as error:
        _say(writing, {"unavailable": str(error)})
        return
    _end_with_parent(reading)
    if find_spec("flwr") is None:
        _say(writing, {"unavailable": "flower"})
        return

    from cleanroom.flower.frames import Pipe

    if start["role"] == "client":
        from cleanroom.flower.client_side import run
    else:
        from cleanroom.flower.server_side import run
    run(Pipe(reading, writing), start)


def _start() -> dict[str, Any]:
    """Read the parent's first words: a length and JSON."""
    length = int.from_bytes(_exactly(_LENGTH_BYTES), "little")
    start: dict[str, Any] = json.loads(_exactly(length))
    return start


def _exactly(length: int) -> bytes:
    taken = b""
    while len(taken) < length:
        piece = os.read(0, length - len(taken))
        if not piece:
            sys.exit(1)
        taken += piece
    return taken


def _own_descriptors() -> tuple[int, int]:
    """Keep the pipe for frames alone: what the app prints goes to stderr, and it reads nothing."""
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return reading, writing


def _say(writing: int, header: dict[str, str]) -> None:
    """Write a frame without numbers, before the module for frames may be imported."""
    text = json.dumps(header).encode()
    whole = (_LENGTH_BYTES + len(text)).to_bytes(_LENGTH_BYTES, "little")
    os.write(writing, whole + len(text).to_bytes(_LENGTH_BYTES, "little") + text)


def _end_with_parent(reading: int) -> None:
    """End this process as soon as nobody can write to it any more."""

    def watch() -> None:
        hung_up = select.poll()
        hung_up.register(reading, 0)
        hung_up.poll()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
