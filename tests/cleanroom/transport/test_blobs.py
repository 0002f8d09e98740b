"""Bytes as frames: whole and exact, or refused before more memory is taken than was allowed."""

import asyncio
import contextlib
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import MessageInvalid
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.frames import CHUNK, MAX_MESSAGE


class Wire:
    """What was sent comes out in order, and then nothing more."""

    peer = "bank_a"

    def __init__(self, *messages: bytes) -> None:
        self.messages = deque(messages)

    async def send(self, message: bytes, /) -> None:
        self.messages.append(message)

    async def receive(self) -> bytes | None:
        return self.messages.popleft() if self.messages else None


def received(wire: Wire, most: int = 4 * CHUNK) -> bytes:
    return asyncio.run(receive_blob(wire, most))


@pytest.mark.parametrize("n", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_bytes_come_back_in_frames_that_may_go(n: int) -> None:
    data, wire = bytes(range(256)) * (n // 256) + bytes(n % 256), Wire()
    asyncio.run(send_blob(wire, data))
    assert max(map(len, wire.messages)) <= MAX_MESSAGE
    assert received(wire) == data
    assert not wire.messages


def announced(n: int) -> bytes:
    return n.to_bytes(8, "little")


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((), "truncated"),
        ((b"1234567",), "truncated"),
        ((announced(0),), "0 bytes announced"),
        ((announced(101) + b"x",), "1 to 100 are allowed"),
        ((announced(1 << 63),), "1 to 100 are allowed"),
        ((announced(5) + b"123",), "ended within"),
        ((announced(5) + b"123", b""), "ended within"),
        ((announced(5) + b"123", b"456"), "more bytes than announced"),
        ((announced(2) + b"123",), "more bytes than announced"),
    ],
)
def test_bytes_that_are_not_as_announced_are_refused(
    messages: tuple[bytes, ...], says: str
) -> None:
    with pytest.raises(MessageInvalid, match=says):
        received(Wire(*messages), 100)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_garbage_is_refused_or_no_longer_than_allowed(messages: list[bytes]) -> None:
    with contextlib.suppress(MessageInvalid):
        assert 0 < len(received(Wire(*messages), 50)) <= 50
