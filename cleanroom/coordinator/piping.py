"""One session's two members at the coordinator, whose calls are joined to one.

Rule: bytes go through as they come, no faster than the other side takes them, and none are kept.
They are encrypted and authenticated from end to end: nothing here can read or usefully alter them.
"""

import asyncio
from dataclasses import dataclass, field

from cleanroom.coordinator.meeting import Meeting
from cleanroom.errors import MessageInvalid, NotAuthorised
from cleanroom.session.statements import Request
from cleanroom.transport.call import END, Call


@dataclass
class Pipe(Meeting):
    """Joins the calls of a request's recipient and of its one other member."""

    request: Request
    _calls: "dict[str, asyncio.Future[Call]]" = field(default_factory=dict)
    _ended: dict[str, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ends = {self.request.recipient, *self.request.members}
        if len(ends) != 2 or len(self.request.members) != 1:
            raise MessageInvalid("a scoring has a recipient and one other member")
        for name in ends:
            self._calls[name] = asyncio.get_running_loop().create_future()
            self._ended[name] = asyncio.Event()

    async def join(self, call: Call) -> None:
        """Pass on what a member sends until it has said its last, and the other has too.

        Raises:
            NotAuthorised: if the caller has no part in this, or called before.
        """
        if call.peer not in self._calls or self._calls[call.peer].done():
            raise NotAuthorised("has no part in this session, or called before", party=call.peer)
        self._calls[call.peer].set_result(call)
        (other,) = self._calls.keys() - {call.peer}
        there = await asyncio.shield(self._calls[other])
        while (message := await call.receive()) is not None:
            await there.send(message)
        await there.send(END)
        self._ended[call.peer].set()
        await self._ended[other].wait()
