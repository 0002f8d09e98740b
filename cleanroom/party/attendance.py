"""A member's standing call to the coordinator: what comes and goes on it, made again if it breaks.

Rule: bytes in order, and when to try again. What a message says is decided in `party`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cleanroom.contract.document import COORDINATOR
from cleanroom.errors import CleanroomError, PeerUnavailable
from cleanroom.session.member import Membership
from cleanroom.session.routes import ATTEND
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import unpack

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_WAITING = 1024  # messages
logger = structlog.get_logger()


class Attendance:
    """One member's.

    Args:
        first: what the member says first, once it is greeted.
        heard: takes each message of the coordinator's, in order.
        ended: ends whatever depends on a call that broke.

    Attributes:
        ready: set while the member attends.
    """

    def __init__(
        self,
        member: Membership,
        first: Callable[[], bytes],
        heard: Callable[[bytes], None],
        ended: Callable[[CleanroomError], Awaitable[None]],
    ) -> None:
        self._member = member
        self._first, self._heard, self._ended = first, heard, ended
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(maxsize=_WAITING)
        self._channel: Channel | None = None
        self.ready = asyncio.Event()

    @property
    def channel(self) -> Channel:
        """The channel to the coordinator.

        Raises:
            PeerUnavailable: before there was one.
        """
        if self._channel is None:
            raise PeerUnavailable("isn't attended", party=COORDINATOR)
        return self._channel

    async def send(self, message: bytes) -> None:
        """Send a message soon."""
        await self._outbox.put(message)

    async def forever(self) -> None:
        """Attend until cancelled."""
        attempt = 0
        while True:
            try:
                await self._attend()
                attempt = 0
            except CleanroomError as error:
                if self.ready.is_set():
                    attempt = 0
                delay_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                attempt += 1
                logger.warning(
                    "not attending",
                    party=COORDINATOR,
                    address=self._member.address(COORDINATOR),
                    code=error.code,
                    message=error.message,
                    attempt=attempt,
                )
            finally:
                self.ready.clear()
                await self._ended(PeerUnavailable("the connection broke", party=COORDINATOR))
            await asyncio.sleep(delay_s)

    async def _attend(self) -> None:
        self._outbox = asyncio.Queue(maxsize=_WAITING)
        async with self._member.dial(COORDINATOR) as channel:
            call = channel.open(ATTEND)
            unpack(await call.receive())  # the coordinator's greeting
            self._channel = channel
            self.ready.set()
            logger.info("ready", member=self._member.name)
            await self.send(self._first())
            sending = asyncio.ensure_future(self._send_all(call))
            try:
                while (message := await call.receive()) is not None:
                    self._heard(message)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        raise PeerUnavailable("ended the attendance", party=COORDINATOR)

    async def _send_all(self, call: Call) -> None:
        while True:
            await call.send(await self._outbox.get())
