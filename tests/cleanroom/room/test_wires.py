"""F86: bad wires to the coordinator or a computing member: a right answer or a typed error, soon.

The relay between real channels delays, throttles, resets, flips one bit under TLS, or goes silent
while it keeps connections open.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
import tiny_room

from cleanroom.config import MemberConfig
from cleanroom.coordinator.process import CoordinatorConfig, coordinate
from cleanroom.errors import DeadlineExceeded, LogDiverged, PeerUnavailable, SessionCancelled
from cleanroom.party.party import PartyProcess

SQL = "add 2 of bank_a bank_b bank_c"
# What a member says that can't reach others, or that others can't hold to its log meanwhile.
CUT_OFF = (PeerUnavailable, SessionCancelled, DeadlineExceeded, LogDiverged)
NOTICED_S = 20.0  # two keepalives and a loaded machine


@dataclass
class Wire:
    """What happens to bytes from now on; counted in bytes both ways since it was set."""

    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    reset_at: int = 0
    flip_at: int = 0
    silent_at: int = 0
    passed: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(1 << 16):
                self.passed += len(chunk)
                await asyncio.sleep(self.latency_s)
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
                if self.reset_at and self.passed >= self.reset_at:
                    self.reset_at = 0
                    writer.transport.abort()
                    return
                if self.flip_at and self.passed >= self.flip_at:
                    self.flip_at = 0
                    chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
                if self.silent_at and self.passed >= self.silent_at:
                    continue
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def relay(wire: Wire, address: str, port: int) -> AsyncIterator[None]:
    """Relay an address to a port of this machine."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            writer.close()
            return
        for way in (wire.carry(reader, back), wire.carry(there, writer)):
            task = asyncio.ensure_future(way)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    host, _, dialled = address.rpartition(":")
    server = await asyncio.start_server(accept, host, int(dialled))
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def room_behind(wire: Wire, room, folder, at: str) -> AsyncIterator[None]:
    """Run a room of which one member is reached through the wire alone."""
    (port,) = tiny_room.free_ports(1)
    config = CoordinatorConfig.load(folder / "coordinator.toml")
    if at == "coordinator":
        config = config.model_copy(update={"listen": f"127.0.0.1:{port}"})
    states = {
        name: tiny_room.state_of(MemberConfig.load(folder / f"{name}.toml"))
        for name in (*tiny_room.OWNERS, "hospital")
    }
    parties = {
        name: PartyProcess(room[name], tiny_room.tiny_engine(), tiny_room.Rows(), state)
        for name, state in states.items()
    }
    tasks = [asyncio.ensure_future(coordinate(config))]
    async with relay(wire, room["analyst"].address(at), port):
        for name, party in parties.items():
            listen = f"127.0.0.1:{port}" if name == at else None
            tasks.append(asyncio.ensure_future(party.run(listen)))
        try:
            ready = asyncio.gather(*(party.ready.wait() for party in parties.values()))
            await asyncio.wait_for(ready, 20)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for state in states.values():
                state.close()


def right(answer) -> bool:
    return bool(np.array_equal(answer.table["x"].to_numpy()[:100], 3 * np.arange(100)))


def test_slow_wires_give_the_right_answer(room, folder) -> None:
    async def run() -> None:
        wire = Wire()
        async with room_behind(wire, room, folder, "bank_a"):
            wire.latency_s, wire.bytes_per_s = 0.2, 125_000.0
            assert right(await tiny_room.ask(room, SQL, "mpc"))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("at", "fault"),
    [("coordinator", "reset_at"), ("coordinator", "flip_at"), ("coordinator", "silent_at"),
     ("bank_a", "reset_at"), ("bank_a", "flip_at")],
)  # fmt: skip
def test_broken_wires_are_typed_errors_and_the_room_goes_on(room, folder, at, fault) -> None:
    async def run() -> None:
        wire = Wire()
        async with room_behind(wire, room, folder, at):
            wire.passed = 0
            setattr(wire, fault, 3000)
            began = time.monotonic()
            with contextlib.suppress(*CUT_OFF):  # unless it was another connection
                assert right(await tiny_room.ask(room, SQL, "mpc"))
            assert time.monotonic() - began < NOTICED_S
            setattr(wire, fault, 0)
            while True:
                try:
                    assert right(await tiny_room.ask(room, SQL, "mpc"))
                    break
                except CUT_OFF:  # whoever was cut off attends again by itself
                    assert time.monotonic() - began < 2 * NOTICED_S

    asyncio.run(run())
