"""The listening side: names the caller by its certificate, and turns errors into faults."""

import asyncio
import errno
import socket
from collections.abc import Mapping
from typing import Any

import grpc
import structlog

from cleanroom.errors import CleanroomError, ConfigInvalid, InternalError, PeerUnavailable
from cleanroom.logs import where
from cleanroom.transport import faults
from cleanroom.transport.call import END, Route, check_size
from cleanroom.transport.tls import SERVER_OPTIONS, Pins, TlsIdentity

PACKAGE = "cleanroom.v1"
logger = structlog.get_logger()


class _Incoming:
    """A call as its server sees it."""

    def __init__(self, peer: str, context: Any) -> None:
        self._peer = peer
        self._context = context
        self._ended = False

    @property
    def peer(self) -> str:
        return self._peer

    async def send(self, message: bytes, /) -> None:
        check_size(message)
        try:
            await self._context.write(message)
        except grpc.aio.BaseError:
            raise PeerUnavailable("the connection broke", party=self._peer) from None

    async def receive(self) -> bytes | None:
        if self._ended:
            return None
        message = await self._context.read()
        if message is grpc.aio.EOF:
            raise PeerUnavailable("the connection broke", party=self._peer)
        self._ended = message == END
        return None if self._ended else message


class Server:
    """Serves routes by name, 'Service/Method', to the pinned members."""

    def __init__(self, me: TlsIdentity, pins: Pins, routes: Mapping[str, Route]) -> None:
        self._me = me
        self._pins = pins
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        for service in sorted({name.partition("/")[0] for name in routes}):
            methods = {
                name.partition("/")[2]: grpc.stream_stream_rpc_method_handler(self._handler(route))
                for name, route in routes.items()
                if name.partition("/")[0] == service
            }
            generic = grpc.method_handlers_generic_handler(f"{PACKAGE}.{service}", methods)
            self._server.add_generic_rpc_handlers((generic,))

    async def start(self, address: str) -> int:
        """Listen, and return the port.

        Raises:
            ConfigInvalid: if the address is taken, or the key doesn't fit the certificate.
        """
        credentials = self._pins.server_credentials(self._me)
        try:
            port: int = self._server.add_secure_port(address, credentials)
        except RuntimeError:
            raise _not_listening(self._me.name, address) from None
        await self._server.start()
        return port

    async def stop(self, grace_s: float = 0.0) -> None:
        """Stop listening and end every call."""
        await self._server.stop(grace_s)

    def _handler(self, route: Route) -> Any:
        async def handle(_: object, context: Any) -> None:
            fault = await self._run(route, context)
            if fault is not None:
                await context.abort(
                    grpc.StatusCode.ABORTED, fault.code, trailing_metadata=faults.trailer(fault)
                )

        return handle

    async def _run(self, route: Route, context: Any) -> CleanroomError | None:
        try:
            await route(_Incoming(self._pins.identify(context.auth_context()), context))
        except CleanroomError as error:
            return error.with_traceback(None)  # its frames hold this call, and so the socket
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("call failed", where=where(error), exc_info=False)
            return InternalError("a fault in a call; see that party's log", party=self._me.name)
        return None


def _not_listening(member: str, address: str) -> ConfigInvalid:
    """Find out why gRPC, which doesn't say, could not listen."""
    host, _, port = address.rpartition(":")
    what, remedy = "the key and the certificate differ", "Restore the identity's files."
    try:
        family, kind, _, _, place = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.bind(place)
    except OSError as error:
        what = "it is no address of this machine, or not allowed"
        remedy = "Set 'listen' in the configuration to an address of this machine."
        if error.errno == errno.EADDRINUSE:
            what = "it is in use"
            remedy = "End the program that listens there; is this process running already?"
    return ConfigInvalid(f"cannot listen on {address}: {what}", party=member, remedy=remedy)
