"""Run things side by side without leaving any behind."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, overload

S = TypeVar("S")
T = TypeVar("T")


@overload
async def together(
    first: Coroutine[Any, Any, S], second: Coroutine[Any, Any, T], /
) -> tuple[S, T]: ...
@overload
async def together(*parts: Coroutine[Any, Any, T]) -> tuple[T, ...]: ...
async def together(*parts: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """Return all results; at the first error, or if cancelled, end the others and raise it.

    Unlike `asyncio.TaskGroup` it raises the error itself: callers catch typed errors.
    """
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks.clear()  # an error's traceback holds this frame: a cycle that keeps calls open


async def first(*parts: Coroutine[Any, Any, T]) -> T:
    """Return or raise what the first one to end does, and end the others."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(filter(asyncio.Task.done, tasks)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tasks.clear()
