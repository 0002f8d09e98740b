"""A member's own rows, read by one session at a time, on a thread.

Rule: when a session ends, its SQL does too; nobody else's SQL is ended with it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from numpy.typing import NDArray

from cleanroom.errors import SessionCancelled
from cleanroom.execution.contribute import Source

T = TypeVar("T")


@dataclass
class Reader:
    """Attributes: source: the member's own rows."""

    source: Source
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def alone(self, work: Callable[[], T]) -> T:
        """Return what `work` gives, on a thread, while no session reads."""
        async with self._one:
            return await asyncio.to_thread(work)

    async def read(self, work: Callable[[Source], T]) -> T:
        """Return what `work` makes of the rows."""
        async with self._one:
            reading = _Reading(self.source)
            try:
                return await asyncio.to_thread(work, reading)
            except asyncio.CancelledError:
                reading.interrupt()
                raise


class _Reading:
    """The rows for one session: when it ends, its SQL does too."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ended = False

    def run(self, sql: str, text_key: bytes) -> Mapping[str, NDArray[Any]]:
        if self._ended:
            raise SessionCancelled("the session is over")
        return self._source.run(sql, text_key)

    def rows(self, table: str) -> int:
        return self._source.rows(table)

    def interrupt(self) -> None:
        self._ended = True
        self._source.interrupt()
