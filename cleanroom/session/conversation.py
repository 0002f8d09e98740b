"""What two members of a session say to each other past the coordinator's eyes.

Rule: every message is encrypted and authenticated under a key of this session and direction, with
its number, so that whoever relays can neither read, alter, repeat, drop nor reorder one unnoticed.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cleanroom.contract import canonical
from cleanroom.contract.document import COORDINATOR
from cleanroom.errors import MessageInvalid, PeerMisbehaved
from cleanroom.identity.exchange import Exchange
from cleanroom.session.statements import Request
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.call import Call

TAG_BYTES = 16


class _Direction:
    """Messages of one sender, numbered from 0."""

    def __init__(self, secret: bytes) -> None:
        self._box = AESGCM(secret)
        self._number = 0

    def wrap(self, message: bytes) -> bytes:
        return self._box.encrypt(self._nonce(), message, None)

    def unwrap(self, wrapped: bytes) -> bytes:
        return self._box.decrypt(self._nonce(), wrapped, None)

    def _nonce(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(12, "big")


@dataclass(frozen=True, slots=True)
class Names:
    """With whom a member speaks, under which public key of the other's."""

    other: str
    key: str


class Conversation:
    """One side of it, over a call to the coordinator that is piped to the other side's.

    Args:
        binding: what both know this to be about; whoever knows it otherwise understands nothing.
    """

    def __init__(self, call: Call, names: Names, exchange: Exchange, binding: str) -> None:
        def direction(sender_key: str) -> _Direction:
            purpose = f"conversation {sender_key} {binding}"
            return _Direction(exchange.secret(names.other, names.key, purpose))

        self._call, self._suspects = call, f"{names.other} or {COORDINATOR}"
        self._out, self._in = direction(exchange.public), direction(names.key)

    async def send(self, message: bytes) -> None:
        """Send one message to the other side."""
        await send_blob(self._call, self._out.wrap(message))

    async def receive(self, most: int) -> bytes:
        """Return the other side's next message, of at most that many bytes.

        Raises:
            PeerMisbehaved: if none comes, it is larger, or it isn't the one that was sent.
        """
        try:
            wrapped = await receive_blob(self._call, most + TAG_BYTES)
            return self._in.unwrap(wrapped)
        except MessageInvalid as error:
            raise PeerMisbehaved(error.message, party=self._suspects) from None
        except InvalidTag:
            what = "sent another message than was due, or relayed another than was sent"
            raise PeerMisbehaved(what, party=self._suspects) from None


def binding_of(request: Request, answering: str) -> str:
    """Name all that both members agree on: contract, plan, session and both their keys."""
    agreed: list[canonical.Json] = [request.contract_hash, request.plan_hash, request.session]
    for about in (request.scoring, request.training, request.profile):
        agreed.append(None if about is None else about.model_dump(mode="json"))
    agreed.append(answering)
    return hashlib.sha256(canonical.compact(agreed)).hexdigest()
