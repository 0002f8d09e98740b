"""A long-running process: starts a coroutine and ends it cleanly on a signal or closed stdin."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import structlog

from cleanroom import logs
from cleanroom.errors import CleanroomError
from cleanroom.memory import keep_freed_memory

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


def run_until_stopped(work: Work, *, parent_pipe: bool = False) -> None:
    """Run `work()` until it ends, or SIGTERM or SIGINT comes.

    Args:
        parent_pipe: also stop when stdin ends, which it does when the parent process dies. The
            parent reads the log: why this process ended early is event "stopped", exit code 2.

    Raises:
        CleanroomError: why it couldn't start, without `parent_pipe`.
    """
    logs.configure()
    _set_limits()
    keep_freed_memory()
    try:
        asyncio.run(_run(work, parent_pipe=parent_pipe))
    except CleanroomError as error:
        if not parent_pipe:
            raise
        reason = {"code": error.code, "message": error.message, "remedy": error.remedy}
        structlog.get_logger().error("stopped", party=error.party, **reason)
        sys.exit(2)


def _set_limits() -> None:
    """Allow as many connections as the system does, and no core dumps: they would hold rows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def _run(work: Work, *, parent_pipe: bool) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    stop = task.cancel if task is not None else loop.stop
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if parent_pipe:
        _watch_stdin(loop, stop)
    try:
        await work()
    except asyncio.CancelledError:
        return


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    fd = sys.stdin.fileno()
    os.set_blocking(fd, False)

    def readable() -> None:
        if not os.read(fd, 4096):
            loop.remove_reader(fd)
            stop()

    loop.add_reader(fd, readable)
