"""Messages on their way to one peer of the coordinator: sent in order, and bounded."""

import asyncio

from cleanroom.errors import CleanroomError, PeerUnavailable
from cleanroom.tasks import first
from cleanroom.transport.call import Call

QUEUE = 1024  # messages that may wait for one peer before it counts as gone


class Line:
    """Messages on their way to one peer, and why they end."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | CleanroomError] = asyncio.Queue()
        self._stuck = asyncio.Event()
        self.closed = False

    def put(self, message: bytes) -> None:
        """Send a message soon; a peer that doesn't read is given up."""
        if self._queue.qsize() >= QUEUE:
            self._stuck.set()
        elif not self.closed:
            self._queue.put_nowait(message)

    def close(self, fault: CleanroomError) -> None:
        """End the peer's call with this reason, once what was queued before has been sent."""
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(fault)

    async def pump(self, call: Call) -> None:
        """Send until closed, and raise the reason."""
        await first(self._send_all(call), self._until_stuck())

    async def _send_all(self, call: Call) -> None:
        while True:
            item = await self._queue.get()
            if isinstance(item, CleanroomError):
                raise item.again()  # this frame holds the item
            await call.send(item)

    async def _until_stuck(self) -> None:
        await self._stuck.wait()
        raise PeerUnavailable("doesn't read its messages")
