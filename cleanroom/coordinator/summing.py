"""One session's sum of ciphertexts at the coordinator: added as they come, never opened.

Rule: the coordinator holds a public key or an encrypted question, the running sum and one
ciphertext of each caller, and no key that decrypts. Who may call is decided by the certificate;
each contributor counts once.
"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanroom.coordinator.meeting import Meeting
from cleanroom.errors import MessageInvalid, NotAuthorised, PeerMisbehaved
from cleanroom.identity.exchange import SECRET_BYTES
from cleanroom.session.about import Encryption
from cleanroom.session.agreement import most_handed_out
from cleanroom.session.digest import Digest
from cleanroom.session.statements import Request, Signed
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import pack
from protocols.he.parameters import ParametersRefused, parameters_of

if TYPE_CHECKING:
    from protocols.he.bfv import Sum


@dataclass
class Summing(Meeting):
    """What one session on ciphertexts has at the coordinator."""

    request: Request
    encryption: Encryption
    rulings: list[Signed] = field(default_factory=list)
    _begun: set[str] = field(default_factory=set)
    _received: dict[str, str] = field(default_factory=dict)
    _stated: dict[str, str] = field(default_factory=dict)
    _sums: "list[Sum]" = field(default_factory=list)
    _adding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        try:
            self._parameters = parameters_of(self.encryption.parameters)
        except ParametersRefused:
            raise MessageInvalid("the request names unknown parameters") from None
        loop = asyncio.get_running_loop()
        self._key: asyncio.Future[bytes] = loop.create_future()
        self._seals: asyncio.Future[dict[str, bytes]] = loop.create_future()
        self._complete = asyncio.Event()

    async def add(self, call: Call) -> None:
        """Give a contributor key, seal and all rulings, and add what it sends to the sum.

        Raises:
            NotAuthorised: if it contributed before.
            PeerMisbehaved: if it sends what is no ciphertext.
        """
        if call.peer in self._begun:
            raise NotAuthorised("contributed before", party=call.peer)
        self._begun.add(call.peer)
        await send_blob(call, await asyncio.shield(self._key))
        sealed = await asyncio.shield(self._seals)
        await send_blob(call, sealed[call.peer])
        for ruling in self.rulings:
            await call.send(pack(ruling))
        digest = Digest(self.encryption.key_id)
        try:
            await self._take(call, digest)
        except (MessageInvalid, ValueError) as error:
            what = f"what it contributed is refused: {error}"
            raise PeerMisbehaved(what, party=call.peer) from None
        self._received[call.peer] = digest.hexdigest()
        self._check(call.peer)

    async def _take(self, call: Call, digest: Digest) -> None:
        for place in range(self.encryption.ciphertexts):
            ciphertext = await receive_blob(call, self._parameters.max_bytes)
            digest.add(ciphertext)
            async with self._adding:
                await asyncio.to_thread(self._add, place, ciphertext)
        if await call.receive() is not None:
            raise MessageInvalid("more ciphertexts than announced")

    def _add(self, place: int, ciphertext: bytes) -> None:
        from protocols.he.bfv import Sum

        if place == len(self._sums):
            self._sums.append(Sum(self._parameters))
        self._sums[place].add(ciphertext)

    def state(self, member: str, digest: str) -> None:
        """Note what a contributor signed that it sent.

        Raises:
            PeerMisbehaved: if that isn't what came.
        """
        self._stated[member] = digest
        self._check(member)

    def _check(self, member: str) -> None:
        """Let the sum go once every contributor has sent what it signed."""
        received = self._received.get(member)
        if received is None or self._stated.get(member, received) != received:
            raise PeerMisbehaved("signed another contribution than it sent", party=member)
        if self._received.keys() == self._stated.keys() == set(self.request.members):
            self._complete.set()

    async def total(self, call: Call) -> None:
        """Take the recipient's public key and seals, and hand it the sum of all, once.

        Raises:
            NotAuthorised: if another calls, or it was called before.
        """
        if call.peer != self.request.recipient or self._key.done():
            raise NotAuthorised("is not the recipient, or has called before", party=call.peer)
        key = await receive_blob(call, most_handed_out(self._parameters))
        if self._key.done():
            raise MessageInvalid("more than one key")
        self._key.set_result(key)
        self._seals.set_result(await self._received_seals(call))
        await self._complete.wait()
        for one in self._sums:
            await send_blob(call, await asyncio.to_thread(one.result))
        self._sums.clear()

    async def _received_seals(self, call: Call) -> dict[str, bytes]:
        members = self.request.members
        seals = await receive_blob(call, len(members) * SECRET_BYTES)
        if len(seals) != len(members) * SECRET_BYTES:
            raise MessageInvalid("not a seal for each contributor")
        if await call.receive() is not None:
            raise MessageInvalid("more than a key and seals")
        starts = range(0, len(seals), SECRET_BYTES)
        sealed = (seals[start : start + SECRET_BYTES] for start in starts)
        return dict(zip(members, sealed, strict=True))
