"""A TCP relay that delivers every byte a fixed time after it was sent: latency without the kernel.

Rule: bytes pass unchanged and in order, both ways, and bandwidth stays what it was.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from multiprocessing.connection import Connection

_CHUNK = 1 << 18  # bytes


@asynccontextmanager
async def relay(port: int, latency_s: float) -> AsyncIterator[int]:
    """Relay to a port of this machine, each way with this latency; yield the port to dial."""
    ways: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for way in (_carry(reader, back, latency_s), _carry(there, writer, latency_s)):
            task = asyncio.ensure_future(way)
            ways.add(task)
            task.add_done_callback(ways.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency_s: float
) -> None:
    """Read at once what comes, and write it when it is due."""
    clock = asyncio.get_running_loop().time
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        chunk = b"-"
        while chunk:
            chunk = await reader.read(_CHUNK)
            on_the_way.put_nowait((clock() + latency_s, chunk))

    reading = asyncio.ensure_future(read())
    try:
        while True:
            due, chunk = await on_the_way.get()
            await asyncio.sleep(due - clock())
            if not chunk:
                return
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        reading.cancel()
        writer.close()


@contextmanager
def relays(ports: Sequence[int], latency_s: float) -> Iterator[tuple[int, ...]]:
    """Relay to several ports from one process of its own; yield the ports to dial."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_relay_all, args=(tuple(ports), latency_s, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join()


def _relay_all(ports: Sequence[int], latency_s: float, pipe: Connection) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            dial = [await stack.enter_async_context(relay(port, latency_s)) for port in ports]
            pipe.send(tuple(dial))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())
