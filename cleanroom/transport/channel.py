"""The dialling side: one channel to one pinned member, and typed calls on it."""

import asyncio
from types import TracebackType
from typing import Any, Self

import grpc

from cleanroom.errors import CleanroomError, PeerUnavailable
from cleanroom.transport import faults
from cleanroom.transport.call import END, check_size
from cleanroom.transport.server import PACKAGE
from cleanroom.transport.tls import CLIENT_OPTIONS, Pins, TlsIdentity


class Outgoing:
    """A call as its caller sees it."""

    def __init__(self, peer: str, call: Any) -> None:
        self._peer = peer
        self._call = call

    @property
    def peer(self) -> str:
        return self._peer

    async def send(self, message: bytes, /) -> None:
        check_size(message)
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise faults.of_call(self._peer, error) from None
        except asyncio.InvalidStateError:
            raise await self._ended() from None

    async def receive(self) -> bytes | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise faults.of_call(self._peer, error) from None
        except asyncio.InvalidStateError:
            raise await self._ended() from None
        return None if message is grpc.aio.EOF else message

    async def last(self) -> None:
        """Say that no more messages come; the peer may still send."""
        await self.send(END)

    async def finish(self) -> None:
        """Wait until the peer has ended the call well, after its last message or ours.

        Raises:
            CleanroomError: if the peer ended it with an error.
        """
        while await self.receive() is not None:
            pass

    def cancel(self) -> None:
        """End the call from this side."""
        self._call.cancel()

    async def _ended(self) -> CleanroomError:
        code, details = await self._call.code(), await self._call.details()
        trailing = await self._call.trailing_metadata()
        if code is grpc.StatusCode.OK:
            return PeerUnavailable("it ended the call early", party=self._peer)
        empty = grpc.aio.Metadata()
        error = grpc.aio.AioRpcError(code, empty, trailing or empty, details=details)
        return faults.of_call(self._peer, error)


class Channel:
    """A connection to one member; each session has its own, so that none outlives it."""

    def __init__(self, me: TlsIdentity, pins: Pins, peer: str, address: str) -> None:
        self._peer = peer
        self._channel = grpc.aio.secure_channel(
            address,
            pins.channel_credentials(me, peer),
            options=(*CLIENT_OPTIONS, ("grpc.ssl_target_name_override", f"{peer}.cleanroom")),
        )

    def connect(self) -> None:
        """Begin to connect, ahead of the first call."""
        self._channel.get_state(try_to_connect=True)

    def open(self, route: str, timeout_s: float | None = None) -> Outgoing:
        """Begin a call; whether the peer accepts it shows on the first send or receive."""
        method = self._channel.stream_stream(f"/{PACKAGE}.{route}")
        return Outgoing(self._peer, method(timeout=timeout_s))

    async def close(self) -> None:
        """End every call and the connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
