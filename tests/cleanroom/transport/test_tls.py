"""Who gets in: real servers, real handshakes."""

import asyncio
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from cleanroom.errors import (
    CleanroomError,
    ConfigInvalid,
    InternalError,
    JoinTooLarge,
    MessageInvalid,
    NotAuthorised,
    PeerUnavailable,
)
from cleanroom.identity.identity import Identity
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel
from cleanroom.transport.frames import MAX_MESSAGE
from cleanroom.transport.server import Server
from cleanroom.transport.tls import Pins, TlsIdentity


def tls(identity: Identity) -> TlsIdentity:
    return TlsIdentity(identity.name, identity.tls_key, identity.certificate)


BANK, ANALYST, IMPOSTOR, STRANGER = (
    Identity.create(name) for name in ("bank_a", "analyst", "analyst", "stranger")
)
OLD = Identity.create("old", 1, now=dt.datetime.now(dt.UTC) - dt.timedelta(days=9))
PINS = Pins({i.name: i.certificate for i in (BANK, ANALYST, OLD)})


async def echo(call: Call) -> None:
    """Answer each message with who sent it; some words raise."""
    while (message := await call.receive()) is not None:
        if message == b"typed":
            raise JoinTooLarge("too many", party="bank_a")
        if message == b"bug":
            raise ValueError("secret value 4711")
        await call.send(call.peer.encode() + b":" + message)


@asynccontextmanager
async def serving():
    server = Server(tls(BANK), PINS, {"Test/Echo": echo})
    port = await server.start("127.0.0.1:0")
    try:
        yield port
    finally:
        await server.stop()


def with_server(work: Callable[[int], Awaitable[object]]) -> object:
    async def run() -> object:
        async with serving() as port:
            return await asyncio.wait_for(work(port), 10)

    return asyncio.run(run())


async def ask(port: int, me: Identity, message: bytes = b"hi", pins: Pins = PINS) -> bytes | None:
    async with Channel(tls(me), pins, "bank_a", f"127.0.0.1:{port}") as channel:
        call = channel.open("Test/Echo", timeout_s=8)
        await call.send(message)
        return await call.receive()


def test_a_member_is_known_by_its_certificate() -> None:
    assert with_server(lambda port: ask(port, ANALYST)) == b"analyst:hi"


def test_a_member_may_dial_itself() -> None:
    assert with_server(lambda port: ask(port, BANK)) == b"bank_a:hi"


@pytest.mark.parametrize("who", [IMPOSTOR, STRANGER, OLD], ids=["same name", "foreign", "expired"])
def test_other_certificates_are_refused(who: Identity) -> None:
    with pytest.raises((PeerUnavailable, NotAuthorised)) as caught:
        with_server(lambda port: ask(port, who))
    assert caught.value.party == "bank_a"


def test_a_server_with_another_certificate_is_refused() -> None:
    pins = Pins({"bank_a": STRANGER.certificate})
    with pytest.raises(NotAuthorised) as caught:
        with_server(lambda port: ask(port, ANALYST, pins=pins))
    assert caught.value.party == "bank_a"


def test_a_client_without_certificate_is_refused() -> None:
    async def no_certificate(port: int) -> None:
        options = (("grpc.ssl_target_name_override", "bank_a.cleanroom"),)
        credentials = grpc.ssl_channel_credentials(BANK.certificate)
        address = f"127.0.0.1:{port}"
        async with grpc.aio.secure_channel(address, credentials, options) as channel:
            await channel.unary_unary("/cleanroom.v1.Test/Echo")(b"hi", timeout=5)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        with_server(no_certificate)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_plaintext_is_refused() -> None:
    async def plaintext(port: int) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await channel.unary_unary("/cleanroom.v1.Test/Echo")(b"hi", timeout=5)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        with_server(plaintext)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("version", "accepted"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)]
)
def test_only_tls_1_3_gets_through_the_handshake(
    tmp_path: Path, version: ssl.TLSVersion, accepted: bool
) -> None:
    (tmp_path / "chain.pem").write_bytes(ANALYST.tls_key + ANALYST.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(tmp_path / "chain.pem")
    context.load_verify_locations(cadata=BANK.certificate.decode())
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])

    async def handshake(port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname="bank_a.cleanroom"
            )
        except (ssl.SSLError, ConnectionError):
            return False
        writer.close()
        return True

    assert with_server(handshake) is accepted


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"ssl_tls_version": [b"TLSv1.3"]},
        {"ssl_tls_version": [b"TLSv1.2"], "x509_pem_cert": [ANALYST.certificate]},
        {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [IMPOSTOR.certificate]},
        {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [b"garbage"]},
        {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [ANALYST.certificate] * 2},
    ],
)
def test_each_call_is_checked_again(context: dict[str, list[bytes]]) -> None:
    with pytest.raises(NotAuthorised):
        PINS.identify(context)


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(MessageInvalid, match="at most"):
        with_server(lambda port: ask(port, ANALYST, bytes(MAX_MESSAGE + 1)))


def test_a_message_over_the_limit_is_not_taken_and_the_room_serves_on() -> None:
    async def too_large(port: int) -> bytes | None:
        options = (
            ("grpc.ssl_target_name_override", "bank_a.cleanroom"),
            ("grpc.max_send_message_length", -1),
        )
        credentials = PINS.channel_credentials(tls(ANALYST), "bank_a")
        address = f"127.0.0.1:{port}"
        async with grpc.aio.secure_channel(address, credentials, options) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/cleanroom.v1.Test/Echo")(bytes(MAX_MESSAGE + 1))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        return await ask(port, ANALYST)

    assert with_server(too_large) == b"analyst:hi"


def test_a_typed_error_crosses_the_wire() -> None:
    with pytest.raises(JoinTooLarge) as caught:
        with_server(lambda port: ask(port, ANALYST, b"typed"))
    assert (caught.value.message, caught.value.party) == ("too many", "bank_a")


def test_a_fault_crosses_without_its_details() -> None:
    with pytest.raises(InternalError) as caught:
        with_server(lambda port: ask(port, ANALYST, b"bug"))
    assert "4711" not in str(caught.value)


def test_a_connection_that_breaks_is_not_taken_for_an_end() -> None:
    seen: list[type[BaseException] | str] = []
    over = asyncio.Event()

    async def listen(call: Call) -> None:
        try:
            while await call.receive() is not None:
                await call.send(b"ok")
            seen.append("end")
        except (CleanroomError, asyncio.CancelledError) as error:
            seen.append(type(error))
            raise
        finally:
            over.set()

    async def run(last: bool) -> None:
        over.clear()
        server = Server(tls(BANK), PINS, {"Test/Echo": listen})
        port = await server.start("127.0.0.1:0")
        async with Channel(tls(ANALYST), PINS, "bank_a", f"127.0.0.1:{port}") as channel:
            call = channel.open("Test/Echo")
            await call.send(b"x")
            assert await call.receive() == b"ok"
            if last:
                await call.last()
                await call.finish()
        await asyncio.wait_for(over.wait(), 5)
        await server.stop()

    asyncio.run(run(last=True))
    asyncio.run(run(last=False))
    assert seen[0] == "end"
    assert seen[1] in (PeerUnavailable, asyncio.CancelledError)


def test_an_address_in_use_is_a_typed_error() -> None:
    async def twice(port: int) -> None:
        await Server(tls(BANK), PINS, {"Test/Echo": echo}).start(f"127.0.0.1:{port}")

    with pytest.raises(ConfigInvalid, match="in use") as caught:
        with_server(twice)
    assert "running already?" in caught.value.remedy


@pytest.mark.parametrize(
    ("who", "address", "says"),
    [
        (TlsIdentity("bank_a", BANK.tls_key, ANALYST.certificate), "127.0.0.1:0", "differ"),
        (tls(BANK), "192.0.2.1:7100", "no address of this machine"),
        (tls(BANK), "no-such-host.invalid:7100", "no address of this machine"),
    ],
)
def test_why_a_server_can_not_listen_is_told_apart(
    who: TlsIdentity, address: str, says: str
) -> None:
    async def start() -> None:
        await Server(who, PINS, {"Test/Echo": echo}).start(address)

    with pytest.raises(ConfigInvalid, match=says):
        asyncio.run(start())
