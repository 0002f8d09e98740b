"""One party's link to its two peers over the product's own transport, for any caller's loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from cleanroom.identity.identity import Identity
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel
from cleanroom.transport.grpc_link import GrpcLink, deliver
from cleanroom.transport.mailbox import Mailbox
from cleanroom.transport.server import Server
from cleanroom.transport.tls import Pins, TlsIdentity
from protocols.rounds import Party

_ROUTE = "Party/Rounds"
_GRACE_S = 5.0


@dataclass(frozen=True)
class Place:
    """One party's place on this machine.

    Attributes:
        key, certificate: its own, PEM.
        certificates: everybody's, by name.
        ports: where each party listens.
        dial: where each is dialled, which a relay in between makes another port.
    """

    me: Party
    key: bytes
    certificate: bytes
    certificates: Mapping[str, bytes]
    ports: tuple[int, ...]
    dial: tuple[int, ...]


def places(ports: tuple[int, ...], dial: tuple[int, ...]) -> tuple[Place, ...]:
    """Make three identities and say who listens where."""
    made = [Identity.create(_name(party)) for party in Party]
    certificates = {identity.name: identity.certificate for identity in made}
    return tuple(
        Place(me, i.tls_key, i.certificate, certificates, ports, dial)
        for me, i in zip(Party, made, strict=True)
    )


def free_ports(n: int = 3) -> tuple[int, ...]:
    """Return ports of this machine that nobody listens on now."""
    sockets = [socket.socket() for _ in range(n)]
    for free in sockets:
        free.bind(("127.0.0.1", 0))
    ports = tuple(free.getsockname()[1] for free in sockets)
    for free in sockets:
        free.close()
    return ports


@asynccontextmanager
async def linked(place: Place) -> AsyncIterator[GrpcLink]:
    """Listen, dial both peers, and at the end wait until they have sent all they had."""
    me, mailbox = place.me, Mailbox()
    tls = TlsIdentity(_name(me), place.key, place.certificate)
    pins = Pins(place.certificates)
    done = {_name(party): asyncio.Event() for party in Party}

    async def rounds(call: Call) -> None:
        await deliver(call, Party(int(call.peer[1:])), mailbox)
        done[call.peer].set()

    server = Server(tls, pins, {_ROUTE: rounds})
    await server.start(f"127.0.0.1:{place.ports[me]}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, _GRACE_S)
        calls = {}
        for peer in (me.next, me.prev):
            await _until_listening(place.ports[peer])
            at = f"127.0.0.1:{place.dial[peer]}"
            channel = await stack.enter_async_context(Channel(tls, pins, _name(peer), at))
            calls[peer] = channel.open(_ROUTE)
        yield GrpcLink(calls, mailbox)
        for call in calls.values():
            await call.last()
        for peer, call in calls.items():
            await call.finish()  # the peer has read all; closing before would cut it off
            await done[_name(peer)].wait()


def _name(party: Party) -> str:
    return f"p{party.value}"


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
