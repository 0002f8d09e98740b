"""Vectors of words as frames of about 1 MiB: exact, and checked before memory is taken.

A vector is one head frame, `gate length, word count, gate, first words`, and then frames of
words alone until all have come. Words are little-endian.
"""

import struct
from collections.abc import Iterator

import numpy as np

from cleanroom.errors import MessageInvalid
from protocols.rounds import U64, Gate

CHUNK = 1 << 20  # bytes
MAX_GATE = 512  # bytes
MAX_WORDS = 1 << 28  # of one vector: 2 GiB
MAX_MESSAGE = CHUNK + MAX_GATE + 64  # bytes; gRPC refuses more on either side
_HEAD = struct.Struct("<HQ")


def encode(gate: str, vector: U64) -> Iterator[bytes]:
    """Yield the frames of one vector of shape (n,)."""
    if vector.dtype != np.uint64 or vector.ndim != 1:
        raise ValueError(f"{gate}: expected a vector of uint64, got {vector.dtype}{vector.shape}")
    name = gate.encode()
    if not 0 < len(name) <= MAX_GATE or vector.size > MAX_WORDS:
        raise ValueError(f"{gate}: too long for a frame")
    payload = np.ascontiguousarray(vector.astype("<u8", copy=False)).view(np.uint8).data
    head = _HEAD.pack(len(name), vector.size) + name
    yield b"".join((head, payload[:CHUNK]))
    for start in range(CHUNK, len(payload), CHUNK):
        yield bytes(payload[start : start + CHUNK])


def read_head(frame: bytes, max_words: int = MAX_WORDS) -> tuple[Gate, int, memoryview]:
    """Return gate, word count and the first words' bytes.

    Raises:
        MessageInvalid: if the frame isn't a head or declares more than `max_words`.
    """
    if len(frame) < _HEAD.size:
        raise MessageInvalid("a frame is truncated")
    gate_bytes, n_words = _HEAD.unpack_from(frame)
    start = _HEAD.size + gate_bytes
    if not 0 < gate_bytes <= MAX_GATE or len(frame) < start:
        raise MessageInvalid("a frame names no gate")
    if n_words > max_words:
        raise MessageInvalid(f"a vector of {n_words} words; at most {max_words} are allowed")
    try:
        gate = frame[_HEAD.size : start].decode("ascii")
    except UnicodeDecodeError:
        raise MessageInvalid("a gate is not ASCII") from None
    return Gate(gate), n_words, memoryview(frame)[start:]


class Assembly:
    """One vector on its way in; memory is taken when it is made, after the size was admitted."""

    def __init__(self, n_words: int) -> None:
        self._words = np.empty(n_words, dtype="<u8")
        self._bytes = self._words.view(np.uint8)
        self._filled = 0

    def feed(self, chunk: bytes | memoryview) -> U64 | None:
        """Add the next bytes; return the vector once it is whole.

        Raises:
            MessageInvalid: if there are more bytes than declared, or a frame brings none.
        """
        end = self._filled + len(chunk)
        if end > self._bytes.size:
            raise MessageInvalid("a vector is longer than declared")
        if not chunk and self._bytes.size:
            raise MessageInvalid("an empty frame")
        self._bytes[self._filled : end] = np.frombuffer(chunk, dtype=np.uint8)
        self._filled = end
        if end < self._bytes.size:
            return None
        return self._words.astype(np.uint64, copy=False)
