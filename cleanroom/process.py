"""A long-running process: starts a coroutine and ends it cleanly on a signal or closed stdin."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from cleanroom import logs


def run_until_stopped(work: Coroutine[Any, Any, None], *, parent_pipe: bool = False) -> None:
    """Run `work` until it ends, or SIGTERM or SIGINT comes.

    Args:
        parent_pipe: also stop when stdin ends, which it does when the parent process dies.
    """
    logs.configure()
    asyncio.run(_run(work, parent_pipe=parent_pipe))


async def _run(work: Coroutine[Any, Any, None], *, parent_pipe: bool) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if parent_pipe:
        _watch_stdin(loop, task)
    try:
        await task
    except asyncio.CancelledError:
        return


def _watch_stdin(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    fd = sys.stdin.fileno()
    os.set_blocking(fd, False)

    def readable() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            task.cancel()

    loop.add_reader(fd, readable)
