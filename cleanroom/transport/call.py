"""One open call, seen alike from both of its ends: messages out, messages in."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

from google.protobuf.message import DecodeError, Message

from cleanroom.errors import MessageInvalid
from cleanroom.transport.frames import MAX_MESSAGE

# The dialling side's last message. Without it a server can't tell a finished stream from a broken
# connection: gRPC reports the end of both alike.
END = b""

M = TypeVar("M", bound=Message)


class Call(Protocol):
    """A bidirectional stream of messages to one authenticated member."""

    @property
    def peer(self) -> str:
        """The member at the other end, as its certificate says."""
        ...

    async def send(self, message: bytes, /) -> None:
        """Send one message; returns when the peer's flow control has room for it."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next message, or None after the last.

        Raises:
            CleanroomError: what the peer reported, or that it can't be reached any more.
        """
        ...


Route: TypeAlias = Callable[[Call], Awaitable[None]]


def check_size(message: bytes) -> None:
    """Refuse to send what the peer would refuse to take.

    Raises:
        MessageInvalid: if the message is over the limit.
    """
    if len(message) > MAX_MESSAGE:
        raise MessageInvalid(f"a message of {len(message)} bytes; at most {MAX_MESSAGE} may go")


def decode(kind: type[M], message: bytes | None) -> M:
    """Return the protobuf message; fields are still to be checked by whoever knows them.

    Raises:
        MessageInvalid: if there is none, or it is not of this kind.
    """
    if message is None:
        raise MessageInvalid(f"the stream ended where {kind.DESCRIPTOR.name} was due")
    try:
        return kind.FromString(message)
    except DecodeError:
        raise MessageInvalid(f"not a {kind.DESCRIPTOR.name}") from None
