"""What goes through the pipes of a sandboxed process: a length, a JSON header, float64.

Rule: nothing of Flower, and nothing that is evaluated. Sizes are checked before memory is taken.
"""

import json
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cleanroom.errors import MessageInvalid
from cleanroom.learning.facts import Floats

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 1 << 20
_CHUNK = 1 << 20


class Silent(Exception):
    """The other end didn't take or give a frame in time."""


class Closed(Exception):
    """The other end is gone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A header that JSON can say, and the numbers that belong to it, one after the other."""

    header: Mapping[str, Any]
    numbers: Floats


def pack(frame: Frame) -> bytes:
    """Return a frame as bytes, with its length."""
    text = json.dumps(frame.header, separators=(",", ":")).encode()
    numbers = np.ascontiguousarray(frame.numbers, "<f8").tobytes()
    length = len(text).to_bytes(_LENGTH_BYTES, "little")
    whole = (_LENGTH_BYTES + len(text) + len(numbers)).to_bytes(_LENGTH_BYTES, "little")
    return b"".join([whole, length, text, numbers])


def unpack(data: bytes | bytearray) -> Frame:
    """Read a frame's bytes, without its length.

    Raises:
        MessageInvalid: if it is none.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    if length > _MAX_HEADER_BYTES or start > len(data) or (len(data) - start) % 8:
        raise MessageInvalid("a frame of another length than it says")
    try:
        header = json.loads(bytes(data[_LENGTH_BYTES:start]))
    except (ValueError, RecursionError):
        raise MessageInvalid("a frame whose header isn't JSON") from None
    if not isinstance(header, dict):
        raise MessageInvalid("a frame whose header isn't an object")
    return Frame(header, np.frombuffer(data, "<f8", offset=start).astype(np.float64))


class Pipe:
    """Two descriptors, one to read and one to write; both are used without blocking."""

    def __init__(self, reading: int, writing: int) -> None:
        """Use descriptors that somebody else closes, and nobody else uses."""
        self._reading, self._writing = reading, writing
        for descriptor in reading, writing:
            os.set_blocking(descriptor, False)

    def send(self, frame: Frame, seconds: float | None = None) -> None:
        """Write a frame.

        Raises:
            Silent: if it wasn't taken in time.
            Closed: if nobody reads any more.
        """
        self.write(pack(frame), seconds)

    def write(self, data: bytes, seconds: float | None = None) -> None:
        """Write bytes as they are; raises as `send` does."""
        left = memoryview(data)
        end = None if seconds is None else time.monotonic() + seconds
        while left:
            _wait(self._writing, select.POLLOUT, end)
            try:
                left = left[os.write(self._writing, left[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Closed from None

    def receive(self, most_numbers: int, seconds: float | None = None) -> Frame:
        """Read a frame.

        Args:
            most_numbers: how many may belong to it.

        Raises:
            Silent: if it didn't come in time.
            Closed: if it ended before.
            MessageInvalid: if it is longer than it may be, or isn't a frame.
        """
        end = None if seconds is None else time.monotonic() + seconds
        length = int.from_bytes(self._take(_LENGTH_BYTES, end), "little")
        if length > _LENGTH_BYTES + _MAX_HEADER_BYTES + 8 * most_numbers:
            raise MessageInvalid("a frame that is longer than it may be")
        return unpack(self._take(length, end))

    def _take(self, length: int, end: float | None) -> bytearray:
        """Read so many bytes, taking memory only as they come."""
        taken = bytearray()
        while len(taken) < length:
            _wait(self._reading, select.POLLIN, end)
            try:
                piece = os.read(self._reading, min(_CHUNK, length - len(taken)))
            except BlockingIOError:
                continue
            if not piece:
                raise Closed
            taken += piece
        return taken


def _wait(descriptor: int, event: int, end: float | None) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    left_ms = None if end is None else max(0.0, end - time.monotonic()) * 1000
    if not poll.poll(left_ms):
        raise Silent
