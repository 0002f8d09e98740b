"""What the members of one session meet for at the coordinator, until it ends."""

import asyncio
from dataclasses import dataclass, field
from typing import NoReturn

from cleanroom.errors import CleanroomError


def _future() -> "asyncio.Future[CleanroomError]":
    return asyncio.get_running_loop().create_future()


@dataclass(kw_only=True)
class Meeting:
    """Calls of one session, which end together when it fails."""

    _fault: "asyncio.Future[CleanroomError]" = field(default_factory=_future)

    def fail(self, fault: CleanroomError) -> None:
        """End every call of this session."""
        if not self._fault.done():
            self._fault.set_result(fault)

    async def until_failed(self) -> NoReturn:
        """Wait for the session's end, and raise why it ended."""
        raise (await asyncio.shield(self._fault)).again()
