"""Bytes of any content as frames: a length, then at most 1 MiB a frame until all have come."""

import struct
from collections.abc import Iterator, Sequence

from cleanroom.errors import MessageInvalid
from cleanroom.transport.call import Call
from cleanroom.transport.frames import CHUNK

_HEAD = struct.Struct("<Q")


async def send_blob(call: Call, data: bytes) -> None:
    """Send some bytes."""
    for frame in _frames(data):
        await call.send(frame)


async def receive_blob(call: Call, most: int) -> bytes:
    """Return the bytes that are due, `most` at most; memory is taken as they come.

    Raises:
        MessageInvalid: if they are none, more than allowed, or cut short.
    """
    first = await call.receive() or b""
    if len(first) < _HEAD.size:
        raise MessageInvalid("a frame is truncated")
    (n_bytes,) = _HEAD.unpack_from(first)
    if not 0 < n_bytes <= most:
        raise MessageInvalid(f"{n_bytes} bytes announced; 1 to {most} are allowed")
    parts = [first[_HEAD.size :]]
    missing = n_bytes - len(parts[0])
    while missing > 0:
        frame = await call.receive() or b""
        if not frame:
            raise MessageInvalid("the stream ended within a frame's bytes")
        parts.append(frame)
        missing -= len(frame)
    if missing:
        raise MessageInvalid("more bytes than announced")
    return b"".join(parts)


def _frames(data: bytes) -> Iterator[bytes]:
    yield _HEAD.pack(len(data)) + data[:CHUNK]
    for start in range(CHUNK, len(data), CHUNK):
        yield data[start : start + CHUNK]


def joined(parts: Sequence[bytes]) -> bytes:
    """Return several parts as one, each after its length."""
    return b"".join(_HEAD.pack(len(part)) + part for part in parts)


def divided(data: bytes, n: int) -> list[bytes]:
    """Return the n parts that were joined.

    Raises:
        MessageInvalid: if they aren't n.
    """
    parts, start = [], 0
    for _ in range(n):
        if len(data) - start < _HEAD.size:
            raise MessageInvalid("a part is missing")
        (n_bytes,) = _HEAD.unpack_from(data, start)
        start += _HEAD.size
        parts.append(data[start : start + n_bytes])
        start += n_bytes
    if start != len(data):
        raise MessageInvalid("parts of other lengths than announced")
    return parts
