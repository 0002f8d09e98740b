"""Transport `grpc`: three processes on loopback, over the project's link with pinned mutual TLS.

The parent makes inputs, starts the parties and checks results; it does nothing while they run.
"""

import asyncio
import multiprocessing
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks.case import Case, Step
from benchmarks.delay import relays
from benchmarks.links import Place, free_ports, linked, places
from benchmarks.measure import Asked, Measured, peak_memory_bytes, reset_peak_memory
from benchmarks.names import make
from cleanroom.memory import keep_freed_memory
from cleanroom.transport.grpc_link import GrpcLink
from cleanroom.transport.link import drive
from protocols.context import Context
from protocols.randomness import KEY_BYTES
from protocols.rep3.setup import agree
from protocols.rounds import Gate, Party, Round, Steps

_TINY = 192


@dataclass(frozen=True)
class _Report:
    spans: tuple[tuple[float, float], ...]
    cpu_seconds: float
    bytes_sent: int
    rounds: int
    peak_rss_bytes: int
    result: Any


def measure(case: Case, asked: Asked) -> Measured:
    """Run the case in three fresh processes, after one run that isn't counted."""
    ports = free_ports()
    with _dialled(ports, asked.latency_ms) as dial:
        reports = _in_processes(case, asked, places(ports, dial))
    spans = list(zip(*(report.spans for report in reports), strict=True))
    first, second, third = (report.bytes_sent for report in reports)
    return Measured(
        tuple(max(end for _, end in run) - min(start for start, _ in run) for run in spans),
        sum(report.cpu_seconds for report in reports),
        (first, second, third),
        reports[0].rounds,
        max(report.peak_rss_bytes for report in reports),
        sum(report.peak_rss_bytes for report in reports),
        [report.result for report in reports],
    )


@contextmanager
def _dialled(ports: tuple[int, ...], latency_ms: float) -> Iterator[tuple[int, ...]]:
    if not latency_ms:
        yield ports
        return
    with relays(ports, latency_ms / 1000) as dial:
        yield dial


def _in_processes(case: Case, asked: Asked, seats: tuple[Place, ...]) -> list[_Report]:
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for place in seats:
        here, there = spawn.Pipe()
        processes.append(spawn.Process(target=_sit, args=(place, asked, there), daemon=True))
        processes[-1].start()
        there.close()
        pipes.append(here)
    for pipe, inputs in zip(pipes, case.inputs, strict=True):
        pipe.send(inputs)
    reports = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    return reports


def _sit(place: Place, asked: Asked, pipe: Connection) -> None:
    keep_freed_memory()  # as a party's process does
    step = make(asked.benchmark, _TINY).step  # the same protocol for any number of rows
    pipe.send(asyncio.run(_play(place, step, pipe.recv(), asked.runs)))


async def _play(place: Place, step: Step, inputs: Any, runs: int) -> _Report:
    async with linked(place) as link:
        return await _measured(place.me, step, inputs, link, runs)


async def _measured(me: Party, step: Step, inputs: Any, link: GrpcLink, runs: int) -> _Report:
    prss = await drive(agree(me, secrets.token_bytes(KEY_BYTES), b"benchmark"), link)
    spans, cpu = [], 0.0
    result: Any = None
    for run in range(runs + 1):
        ctx = Context(me, prss, Gate(f"run{run}"))
        await drive(_meet(ctx.at("ready")), link)
        if run == 1:
            reset_peak_memory()
            cpu = time.process_time()
        sent, rounds, result = link.bytes_sent, link.rounds, None  # the last run's is freed
        started = time.perf_counter()
        result = await drive(step(ctx, inputs), link)
        spans.append((started, time.perf_counter()))
    return _Report(
        tuple(spans[1:]),
        (time.process_time() - cpu) / runs,
        link.bytes_sent - sent,
        link.rounds - rounds,
        peak_memory_bytes(),
        result,
    )


def _meet(ctx: Context) -> Steps[None]:
    """Return when all three are here, so that nobody's start is counted."""
    nothing, peers = np.zeros(1, dtype=np.uint64), (ctx.me.next, ctx.me.prev)
    send = {(peer, ctx.gate): nothing for peer in peers}
    yield Round(send, frozenset((peer, ctx.gate) for peer in peers))
