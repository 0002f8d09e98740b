"""An event loop on a thread of its own: callers that know no asyncio wait for what runs there.

Rule: how work is waited for, interrupted and ended; nothing of what it is.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, wait
from typing import Any, TypeVar

import structlog

from cleanroom.errors import CleanroomError, InternalError, SessionCancelled
from cleanroom.logs import where

T = TypeVar("T")
POLL_S = 0.2  # a signal that another thread of the process got is seen after this time
logger = structlog.get_logger()


class Loop:
    """Thread-safe; close it after use."""

    def __init__(self, name: str) -> None:
        """Start the thread.

        Args:
            name: of the member whose fault it is if work fails as it never should.
        """
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work to its end; if the caller is interrupted, end the work first.

        Raises:
            CleanroomError: as the work does; SessionCancelled if the loop was closed meanwhile.
            InternalError: for any other error, of which only the place is logged.
        """
        ended = threading.Event()

        async def watched() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            while not wait((future,), timeout=POLL_S).done:
                pass
            return future.result()
        except CancelledError:
            raise SessionCancelled("the room was closed") from None
        except CleanroomError:
            raise
        except Exception as error:
            logger.exception("query failed", where=where(error), exc_info=False)
            raise InternalError("a fault in this client", party=self._name) from None
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(timeout=5)
            raise

    def close(self) -> None:
        """End whatever runs and release the thread."""
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
