"""Transport `grpc`: three processes on loopback, over the project's link with pinned mutual TLS.

The parent makes inputs, starts the parties and checks results; it does nothing while they run.
"""

import asyncio
import multiprocessing
import secrets
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks.case import Case, Step
from benchmarks.measure import Measured, peak_memory_bytes, reset_peak_memory
from benchmarks.names import make
from cleanroom.identity.identity import Identity
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel
from cleanroom.transport.grpc_link import GrpcLink, deliver
from cleanroom.transport.link import drive
from cleanroom.transport.mailbox import Mailbox
from cleanroom.transport.server import Server
from cleanroom.transport.tls import Pins, TlsIdentity
from protocols.context import Context
from protocols.randomness import KEY_BYTES
from protocols.rep3.setup import agree
from protocols.rounds import Gate, Party, Round, Steps

_ROUTE = "Party/Rounds"
_TINY = 192


@dataclass(frozen=True)
class _Seat:
    """Everything that one party's process is told."""

    me: Party
    keys: tuple[bytes, bytes]
    certificates: Mapping[str, bytes]
    ports: tuple[int, ...]
    case: str
    runs: int


@dataclass(frozen=True)
class _Report:
    spans: tuple[tuple[float, float], ...]
    cpu_seconds: float
    bytes_sent: int
    rounds: int
    peak_rss_bytes: int
    result: Any


def measure(case: Case, name: str, runs: int) -> Measured:
    """Run the case in three fresh processes, after one run that isn't counted."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for seat in _seats(name, runs):
        here, there = spawn.Pipe()
        processes.append(spawn.Process(target=_sit, args=(seat, there), daemon=True))
        processes[-1].start()
        there.close()
        pipes.append(here)
    for pipe, inputs in zip(pipes, case.inputs, strict=True):
        pipe.send(inputs)
    reports: list[_Report] = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    spans = list(zip(*(report.spans for report in reports), strict=True))
    first, second, third = (report.bytes_sent for report in reports)
    return Measured(
        tuple(max(end for _, end in run) - min(start for start, _ in run) for run in spans),
        sum(report.cpu_seconds for report in reports),
        (first, second, third),
        reports[0].rounds,
        max(report.peak_rss_bytes for report in reports),
        [report.result for report in reports],
    )


def _seats(case: str, runs: int) -> list[_Seat]:
    identities = [Identity.create(f"p{party.value}") for party in Party]
    certificates = {identity.name: identity.certificate for identity in identities}
    ports = _free_ports()
    return [
        _Seat(me, (i.tls_key, i.certificate), certificates, ports, case, runs)
        for me, i in zip(Party, identities, strict=True)
    ]


def _free_ports() -> tuple[int, ...]:
    sockets = [socket.socket() for _ in Party]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = tuple(free.getsockname()[1] for free in sockets)
    for free in sockets:
        free.close()
    return ports


def _sit(seat: _Seat, pipe: Connection) -> None:
    step = make(seat.case, _TINY).step  # the same protocol for any number of rows
    pipe.send(asyncio.run(_play(seat, step, pipe.recv())))


async def _play(seat: _Seat, step: Step, inputs: Any) -> _Report:
    me, mailbox = seat.me, Mailbox()
    tls, pins = TlsIdentity(f"p{me.value}", *seat.keys), Pins(seat.certificates)
    done = {f"p{party.value}": asyncio.Event() for party in Party}

    async def rounds(call: Call) -> None:
        await deliver(call, Party(int(call.peer[1:])), mailbox)
        done[call.peer].set()

    server = Server(tls, pins, {_ROUTE: rounds})
    await server.start(f"127.0.0.1:{seat.ports[me]}")
    async with AsyncExitStack() as stack:
        calls = {}
        for party in (me.next, me.prev):
            at = f"127.0.0.1:{seat.ports[party]}"
            await _until_listening(seat.ports[party])
            channel = await stack.enter_async_context(Channel(tls, pins, f"p{party.value}", at))
            calls[party] = channel.open(_ROUTE)
        report = await _measured(seat, step, inputs, GrpcLink(calls, mailbox))
        for call in calls.values():
            await call.last()
        for party in calls:
            await done[f"p{party.value}"].wait()
    await server.stop()
    return report


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


async def _measured(seat: _Seat, step: Step, inputs: Any, link: GrpcLink) -> _Report:
    prss = await drive(agree(seat.me, secrets.token_bytes(KEY_BYTES), b"benchmark"), link)
    spans, cpu = [], 0.0
    result: Any = None
    for run in range(seat.runs + 1):
        ctx = Context(seat.me, prss, Gate(f"run{run}"))
        await drive(_meet(ctx.at("ready")), link)
        if run == 1:
            reset_peak_memory()
            cpu = time.process_time()
        sent, rounds, result = link.bytes_sent, link.rounds, None  # the last run's is freed
        started = time.perf_counter()
        result = await drive(step(ctx, inputs), link)
        spans.append((started, time.perf_counter()))
    cpu = (time.process_time() - cpu) / seat.runs
    return _Report(
        tuple(spans[1:]),
        cpu,
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
