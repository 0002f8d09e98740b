"""One session's recipient and members at the coordinator, whose calls are joined in pairs.

Rule: bytes go through as they come, no faster than the other side takes them, and none are kept.
They are encrypted and authenticated from end to end: nothing here can read or usefully alter them.
"""

import asyncio
from dataclasses import dataclass, field

from cleanroom.coordinator.meeting import Meeting
from cleanroom.errors import CleanroomError, MessageInvalid, NotAuthorised
from cleanroom.session.statements import Request
from cleanroom.tasks import first
from cleanroom.transport.call import END, Call


def _future() -> "asyncio.Future[Call]":
    return asyncio.get_running_loop().create_future()


@dataclass
class _Pair(Meeting):
    """A member's call, and the recipient's to it."""

    calls: "tuple[asyncio.Future[Call], asyncio.Future[Call]]" = field(
        default_factory=lambda: (_future(), _future())
    )
    ended: tuple[asyncio.Event, asyncio.Event] = field(
        default_factory=lambda: (asyncio.Event(), asyncio.Event())
    )

    async def join(self, call: Call, side: int) -> None:
        """Pass on what one side sends until it has said its last, and the other has too."""
        if self.calls[side].done():
            raise NotAuthorised("called before in this session", party=call.peer)
        self.calls[side].set_result(call)
        there = await asyncio.shield(self.calls[1 - side])
        while (message := await call.receive()) is not None:
            await there.send(message)
        await there.send(END)
        self.ended[side].set()
        await self.ended[1 - side].wait()


@dataclass
class Pipe(Meeting):
    """Joins each member's call to one of the recipient's."""

    request: Request
    _pairs: dict[str, _Pair] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.request.scoring is not None and len(self.request.members) != 1:
            raise MessageInvalid("a scoring has a recipient and one other member")
        self._pairs = {name: _Pair() for name in self.request.members}

    def member_of(self, caller: str, place: int) -> str:
        """Return whose conversation a call belongs to.

        Args:
            place: 0 for a member's own call; else which member its recipient calls, from 1.

        Raises:
            NotAuthorised: if the caller has no part in this.
        """
        members = self.request.members
        if place == 0 and caller in members:
            return caller
        if caller == self.request.recipient and 1 <= place <= len(members):
            return members[place - 1]
        raise NotAuthorised("has no part in this session", party=caller)

    async def join(self, call: Call, place: int) -> None:
        """Pass on what a caller sends until it has said its last, and the other side has too.

        Raises:
            NotAuthorised: if the caller has no part in this, or called before.
            CleanroomError: why the member left, if it has.
        """
        pair = self._pairs[self.member_of(call.peer, place)]
        await first(pair.join(call, min(place, 1)), pair.until_failed())

    def leave(self, member: str, fault: CleanroomError) -> None:
        """End one member's conversation."""
        self._pairs[member].fail(fault)
