"""The sessions of one process, by id, and what became of those that ended lately."""

import asyncio
from collections import OrderedDict

from cleanroom.errors import CleanroomError, MessageInvalid, SessionCancelled
from cleanroom.party.query_run import QueryRun
from cleanroom.party.run import Run

FIND_S = 10.0  # how long a peer that is ahead waits for a session to begin here
_REMEMBERED = 1024


class Sessions:
    """Running sessions, and why the last ones ended: peers may ask late, or cancel early."""

    def __init__(self) -> None:
        self._running: dict[str, Run] = {}
        self._ended: OrderedDict[str, CleanroomError] = OrderedDict()
        self._accepted: OrderedDict[str, None] = OrderedDict()  # before they began here
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._running)

    async def add(self, session: Run) -> None:
        """Let calls find a session; one that was cancelled before it began fails at once."""
        self._running[session.id] = session
        if session.id in self._ended:
            session.fail(self._ended[session.id].again())
        if session.id in self._accepted:
            session.accepted.set()
        async with self._changed:
            self._changed.notify_all()

    def remove(self, session: Run) -> None:
        """Forget a session that ended."""
        del self._running[session.id]
        self._end(session.id, session.fault or SessionCancelled("the session is over"))

    async def find(self, session_id: str) -> QueryRun:
        """Return a query's session, waiting a while for it to begin here.

        Raises:
            MessageInvalid: if none begins, or another kind.
            CleanroomError: why it ended, if it has.
        """
        try:
            async with asyncio.timeout(FIND_S), self._changed:
                await self._changed.wait_for(lambda: self._known(session_id))
        except TimeoutError:
            raise MessageInvalid("no such session here") from None
        if session_id not in self._running:
            raise self._ended[session_id].again()
        session = self._running[session_id]
        if not isinstance(session, QueryRun):
            raise MessageInvalid("the session takes no calls here")
        return session

    def fail(self, session_id: str, fault: CleanroomError) -> None:
        """End one session, begun or not."""
        if session_id in self._running:
            self._running[session_id].fail(fault)
        else:
            self._end(session_id, fault)

    def accept(self, session_id: str) -> None:
        """Note that all members have accepted a session, begun here or not."""
        if session_id in self._running:
            self._running[session_id].accepted.set()
        else:
            self._accepted[session_id] = None
            if len(self._accepted) > _REMEMBERED:
                self._accepted.popitem(last=False)

    def fail_all(self, fault: CleanroomError) -> None:
        """End every session."""
        for session in self._running.values():
            session.fail(fault)

    def _known(self, session_id: str) -> bool:
        return session_id in self._running or session_id in self._ended

    def _end(self, session_id: str, fault: CleanroomError) -> None:
        self._ended[session_id] = fault.again()
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
