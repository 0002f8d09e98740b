"""Who is who on the wire: certificates pinned by the contract are the only roots.

Rule: a peer is the member whose exact certificate it proved to hold. Names inside certificates
and messages decide nothing.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import grpc

from cleanroom.errors import IdentityInvalid, NotAuthorised
from cleanroom.transport.frames import MAX_MESSAGE

KEEPALIVE_S = 3.0
KEEPALIVE_TIMEOUT_S = 4.0  # a peer that vanished is noticed after at most the sum: 7 s
_VERSION = b"TLSv1.3"

_BOTH = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.keepalive_time_ms", int(KEEPALIVE_S * 1000)),
    ("grpc.keepalive_timeout_ms", int(KEEPALIVE_TIMEOUT_S * 1000)),
    ("grpc.http2.ping_timeout_ms", int(KEEPALIVE_TIMEOUT_S * 1000)),  # a minute by default
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
SERVER_OPTIONS = (
    *_BOTH,
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.max_concurrent_streams", 256),
    ("grpc.server_handshake_timeout_ms", 5000),  # who connects and says nothing is cut off
    ("grpc.so_reuseport", 0),  # a second process on the port must fail, not share its calls
)
CLIENT_OPTIONS = (
    *_BOTH,
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What proves who this process is.

    Attributes:
        key, certificate: PEM.
    """

    name: str
    key: bytes
    certificate: bytes

    def __repr__(self) -> str:
        return f"TlsIdentity({self.name})"


class Pins:
    """The certificates (PEM) of a contract, by member name."""

    def __init__(self, certificates: Mapping[str, bytes]) -> None:
        self._pem = dict(certificates)
        self._names = {_der(pem): name for name, pem in self._pem.items()}
        if len(self._names) != len(self._pem):
            raise IdentityInvalid("two members share a certificate")

    def pem(self, name: str) -> bytes:
        """Return the certificate of one member."""
        return self._pem[name]

    def only(self, names: Iterable[str]) -> "Pins":
        """Return the pins of some members."""
        return Pins({name: self._pem[name] for name in names})

    def server_credentials(self, me: TlsIdentity) -> grpc.ServerCredentials:
        """Return credentials that admit holders of the pinned certificates alone.

        Its own is one of them: a computing member that is a recipient collects from itself too.
        """
        roots = b"\n".join(self._pem.values())
        return grpc.ssl_server_credentials(
            [(me.key, me.certificate)], root_certificates=roots, require_client_auth=True
        )

    def channel_credentials(self, me: TlsIdentity, peer: str) -> grpc.ChannelCredentials:
        """Return credentials that accept no server but `peer`."""
        return grpc.ssl_channel_credentials(self._pem[peer], me.key, me.certificate)

    def identify(self, context: Mapping[str, Iterable[bytes]]) -> str:
        """Return who the peer is, by the channel's authentication context.

        Raises:
            NotAuthorised: if it isn't TLS 1.3, or the certificate isn't one that is pinned.
        """
        if tuple(context.get("ssl_tls_version", ())) != (_VERSION,):
            raise NotAuthorised("the channel is not TLS 1.3")
        presented = tuple(context.get("x509_pem_cert", ()))
        name = self._names.get(_der(presented[0])) if len(presented) == 1 else None
        if name is None:
            raise NotAuthorised("the certificate is not one that the contract pins")
        return name


def _der(pem: bytes) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip())
    except ValueError:
        raise NotAuthorised("a certificate is not PEM") from None
