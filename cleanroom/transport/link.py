"""What a session needs of a wire, and the one loop that joins it to the mathematics."""

import asyncio
from concurrent.futures import Executor
from typing import Generic, Protocol, TypeVar

from protocols.rounds import Inbox, Round, Steps

T = TypeVar("T")
INLINE_BYTES = 1 << 16  # arithmetic on so few takes well under a millisecond


class Link(Protocol):
    """Carries one party's rounds to its peers and brings back theirs."""

    async def exchange(self, round_: Round, /) -> Inbox:
        """Send what the round sends and return what it waits for.

        Raises:
            PeerUnavailable: if a peer can't be reached any more.
        """
        ...


class _Done(Generic[T]):
    """A result: StopIteration can't leave a worker thread through a future."""

    def __init__(self, value: T) -> None:
        self.value = value


def _advance(steps: Steps[T], inbox: Inbox | None) -> "Round | _Done[T]":
    try:
        return next(steps) if inbox is None else steps.send(inbox)
    except StopIteration as done:
        return _Done(done.value)


async def drive(steps: Steps[T], link: Link, workers: Executor | None = None) -> T:
    """Run one party's protocol over `link` to its end, its arithmetic on a worker thread."""
    loop = asyncio.get_running_loop()
    inbox: Inbox | None = None
    short = False
    working: asyncio.Future[Round | _Done[T]] | None = None
    try:
        while True:
            if short:
                step = _advance(steps, inbox)
            else:
                working = loop.run_in_executor(workers, _advance, steps, inbox)
                del inbox  # a level's vectors are freed while the next is computed
                step = await asyncio.shield(working)
            if isinstance(step, _Done):
                return step.value
            inbox = await link.exchange(step)
            short = _is_short(step, inbox)
    finally:
        _close(steps, working)


def _is_short(sent: Round, received: Inbox) -> bool:
    """Tell, by the size of the round before, whether a step is over before a thread would start."""
    n_bytes = sum(v.nbytes for vectors in (sent.send, received) for v in vectors.values())
    return 0 < n_bytes <= INLINE_BYTES


def _close(steps: Steps[T], working: "asyncio.Future[Round | _Done[T]] | None") -> None:
    """End the generator; if a thread is still inside it, as soon as that has come out."""
    if working is None or working.done():
        steps.close()
        return

    def close(ended: "asyncio.Future[Round | _Done[T]]") -> None:
        if not ended.cancelled():
            ended.exception()
        steps.close()

    working.add_done_callback(close)
