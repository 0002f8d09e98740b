"""SEAL writes its objects to paths alone: anonymous memory files stand in for them here."""

import os
from typing import Any, Protocol


class Saves(Protocol):
    """A SEAL object that can be written."""

    def save(self, path: str, /) -> None: ...


def saved(value: Saves) -> bytes:
    """Return a SEAL object as bytes; nothing touches a disk."""
    file = os.memfd_create("seal", os.MFD_CLOEXEC)
    try:
        value.save(_path(file))
        return os.pread(file, os.fstat(file).st_size, 0)
    finally:
        os.close(file)


def load_into(empty: Any, context: Any, data: bytes) -> None:
    """Read a SEAL object; SEAL checks that it belongs to the context.

    Raises:
        RuntimeError, ValueError: from SEAL, for bytes that are no such object.
    """
    file = os.memfd_create("seal", os.MFD_CLOEXEC)
    try:
        os.pwrite(file, data, 0)
        empty.load(context, _path(file))
    finally:
        os.close(file)


def _path(file: int) -> str:
    return f"/proc/self/fd/{file}"
