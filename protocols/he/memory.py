"""SEAL writes its objects to paths alone: anonymous memory files stand in for them here.

Rule: bytes and vectors in and out of SEAL's objects, nothing about what they mean.
"""

import os
import struct
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tenseal.sealapi as seal

from protocols.rounds import U64


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
    _read(lambda path: empty.load(context, path), data)


def fill(value: Any, *parts: U64) -> None:
    """Overwrite all words of a SEAL plaintext or ciphertext, which keeps its size."""
    array, n = value.dyn_array(), sum(part.size for part in parts)
    assert array.size() == n  # noqa: S101 -- our own logic
    size = struct.pack("<Q", n)
    _read(array.load, _header(len(size) + 8 * n), size, *(part.data for part in parts))


def words_of(value: Any) -> U64:
    """Return all words of a SEAL plaintext or ciphertext."""
    array = value.dyn_array()
    n = array.size()
    return np.fromiter(map(array.at, range(n)), dtype=np.uint64, count=n)


def _header(n_bytes: int) -> bytes:
    """Return what SEAL writes before an object that isn't compressed."""
    own = seal.Serialization.SEALHeader()
    versions = own.version_major, own.version_minor
    return struct.pack("<HBBBBHQ", own.magic, own.header_size, *versions, 0, 0, 16 + n_bytes)


def _read(load: Callable[[str], None], *data: bytes | memoryview) -> None:
    file = os.memfd_create("seal", os.MFD_CLOEXEC)
    try:
        os.writev(file, data)
        load(_path(file))
    finally:
        os.close(file)


def _path(file: int) -> str:
    return f"/proc/self/fd/{file}"
