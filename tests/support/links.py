"""Steps of three parties over real gRPC with mutual TLS, all in this process."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.delay import relay
from benchmarks.links import Place, free_ports, linked, places
from cleanroom.transport.link import drive
from protocols.rounds import Steps


@dataclass(frozen=True)
class Played:
    """What three parties hold in the end, and what each of them sent."""

    results: tuple[Any, ...]
    rounds: tuple[int, ...]
    bytes_sent: tuple[int, ...]


def over_grpc(steps: Sequence[Steps[Any]], latency_s: float = 0.0) -> Played:
    """Run one step per party to its end; with latency, through a relay before each party."""

    async def one(place: Place, mine: Steps[Any]) -> tuple[Any, int, int]:
        async with linked(place) as link:
            result = await drive(mine, link)
            return result, link.rounds, link.bytes_sent

    async def all_three() -> Played:
        async with AsyncExitStack() as stack:
            dial = ports = free_ports()
            if latency_s:
                found = [await stack.enter_async_context(relay(p, latency_s)) for p in ports]
                dial = tuple(found)
            tasks = map(one, places(ports, dial), steps)
            ended = await asyncio.wait_for(asyncio.gather(*tasks), 60)
        results, rounds, bytes_sent = zip(*ended, strict=True)
        return Played(results, rounds, bytes_sent)

    return asyncio.run(all_three())
