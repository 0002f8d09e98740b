"""The life of one session at one member: begun once, ended by whoever has a reason, never twice.

Rule: what every session has, whatever it runs. It owns the task that plays it, and knows why it
ended; what a session holds besides is its own kind's to say.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, Self

from cleanroom.errors import (
    CleanroomError,
    DeadlineExceeded,
    InternalError,
    PeerMisbehaved,
    PeerUnavailable,
    SessionCancelled,
)
from cleanroom.logs import where
from cleanroom.session.member import Membership
from cleanroom.session.statements import Request
from protocols import rounds

GRACE_S = 1.0  # how long a broken stream waits for a better reason from the coordinator


@dataclass
class Run:
    """A session's life; `run` owns the task that plays it."""

    member: Membership
    request: Request

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        self.fault: CleanroomError | None = None
        self.unexpected: tuple[str, ...] = ()  # where, for this member's own log
        self.accepted = asyncio.Event()  # by all members, as far as the coordinator tells
        self._told: asyncio.Future[CleanroomError] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._losses: set[asyncio.Task[None]] = set()

    @property
    def id(self) -> str:
        return self.request.session

    @property
    def over(self) -> bool:
        """Whether nothing can fail any more."""
        return False

    async def run(self, play: Callable[[Self], Awaitable[None]]) -> CleanroomError | None:
        """Play the session to its end or its deadline; return why it failed, if it did."""
        self._task = asyncio.ensure_future(self._timed(play))
        if self.fault is not None:  # it was ended before it began
            self._task.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})
            fault = self.fault or await self._reason(self._task)
            self._task = None
            self._release(fault)
        return fault

    def fail(self, fault: CleanroomError) -> None:
        """End the session for a reason that is known, unless it is done already."""
        if self.over:
            return
        if not self._told.done():
            self._told.set_result(fault)
        if self.fault is None:
            self.fault = fault
            if self._task is not None:
                self._task.cancel()

    async def until_failed(self) -> NoReturn:
        """Wait for the session to fail, and raise why: a call that serves it then ends too."""
        raise (await asyncio.shield(self._told)).again()

    def lost(self, peer: str) -> None:
        """A peer's stream broke: blame it, unless the real reason is known within a moment."""
        if self.fault is None:
            suspected = PeerUnavailable("the connection broke", party=peer)
            self._losses.add(asyncio.ensure_future(self._settle(suspected)))

    async def _settle(self, suspected: CleanroomError) -> None:
        await asyncio.wait({self._told}, timeout=GRACE_S)
        self.fail(suspected)

    async def _timed(self, play: Callable[[Self], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self.request.deadline_s):
                try:
                    await play(self)
                except PeerUnavailable as error:
                    await self._settle(error)
        except TimeoutError:
            raise DeadlineExceeded(f"not done in {self.request.deadline_s} s") from None

    async def _reason(self, task: "asyncio.Task[None]") -> CleanroomError | None:
        if task.cancelled():
            return SessionCancelled("this member is stopping", party=self.member.name)
        match task.exception():
            case None:
                return None
            case CleanroomError() as error:
                return error.again()
            case rounds.PeerMisbehaved(suspects=suspects, gate=gate):
                ranks = self.member.contract.terms.computing
                names = " or ".join(ranks[party] for party in sorted(suspects))
                return PeerMisbehaved(f"what it sent at {gate} is not the protocol", party=names)
            case error:
                self.unexpected = where(error)
                return InternalError(f"a fault in session {self.id}", party=self.member.name)

    def _release(self, fault: CleanroomError | None) -> None:
        """Tell whoever still waits."""
        self.fault = fault or SessionCancelled("the session is over")
        if fault is not None and not self._told.done():
            self._told.set_result(fault)
        for loss in self._losses:
            loss.cancel()
