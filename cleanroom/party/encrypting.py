"""An owner's part in a session on ciphertexts: keys agreed, cells masked, encrypted and sent.

Rule: nothing leaves before the key is the one that the request names, and every other contributor
has signed that it takes part in this very session.
"""

import asyncio
from types import TracebackType
from typing import Self

from cleanroom.contract.document import COORDINATOR
from cleanroom.engine import Numbers
from cleanroom.errors import MessageInvalid, PeerMisbehaved, PlanMismatch
from cleanroom.identity.exchange import SECRET_BYTES
from cleanroom.party.query_run import QueryRun
from cleanroom.session.agreement import Agreement, most_handed_out
from cleanroom.session.contributing import Answers, Bound, Part, Summands
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import ADD
from cleanroom.session.statements import Signed
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Opening, unpack
from protocols.he.parameters import parameters_of
from protocols.he.scheme import CiphertextRefused


class Encrypting:
    """One call to the coordinator, open for as long as this is entered.

    Args:
        channel: on which this member attends; a session ends when that does.
    """

    def __init__(self, member: Membership, session: QueryRun, channel: Channel) -> None:
        request, cells = session.request, session.plan.ciphertexts
        if request.encryption is None or cells is None or session.exchange is None:
            raise ValueError("the session runs on shares")
        self._part: Part = Summands(cells) if cells.private is None else Answers(cells)
        told = request.encryption.parameters, request.encryption.ciphertexts
        if told != (cells.parameters, self._part.n):
            raise PlanMismatch("asks for another encryption", party=request.recipient)
        self._member, self._session = member, session
        self._exchange, self._encryption = session.exchange, request.encryption
        self._most = most_handed_out(parameters_of(cells.parameters))
        self._channel = channel

    async def __aenter__(self) -> Self:
        self._call = self._channel.open(ADD)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call.cancel()

    async def agree(self) -> None:
        """Take the recipient's key and seal, and all contributors' signed keys of this session.

        Raises:
            PeerMisbehaved: if the key is not the one that the request names, or none.
        """
        request = self._session.request
        await self._call.send(Opening(request.session, request.plan_hash).to_bytes())
        self._part.take(await receive_blob(self._call, self._most))
        if self._part.id != self._encryption.key_id:
            what = f"handed out another {self._part.takes} than was signed"
            raise PeerMisbehaved(what, party=COORDINATOR)
        try:
            await asyncio.to_thread(self._part.prepare)
        except CiphertextRefused:
            raise self._none() from None
        sealed = await receive_blob(self._call, SECRET_BYTES)
        rulings = [await _signed(self._call) for _ in request.members]
        self._agreement = Agreement.read(request, rulings, self._member.contract)
        if len(sealed) != SECRET_BYTES:
            raise MessageInvalid("a seal of another length", party=COORDINATOR)
        self._seal = self._agreement.unsealed(sealed, self._exchange)

    async def send(self, numbers: Numbers) -> Digest:
        """Mask, encrypt and send this member's numbers; return what was sent.

        Raises:
            PeerMisbehaved: if the recipient's question is none.
        """
        agreement, me = self._agreement, self._member.name
        bound = Bound(me, agreement.secrets(me, self._exchange), agreement.binding, self._seal)
        digest = Digest(self._part.id)
        try:
            made = await asyncio.to_thread(self._part.made, numbers, bound)
            while (ciphertext := await asyncio.to_thread(next, made, None)) is not None:
                digest.add(ciphertext)
                await send_blob(self._call, ciphertext)
        except CiphertextRefused:
            raise self._none() from None
        await self._call.last()
        await self._call.finish()
        return digest

    def _none(self) -> PeerMisbehaved:
        recipient = self._session.request.recipient
        return PeerMisbehaved(f"its {self._part.takes} is none", party=recipient)


async def _signed(call: Call) -> Signed:
    match unpack(await call.receive()):
        case Signed() as signed:
            return signed
        case _:
            raise MessageInvalid("expected a ruling", party=COORDINATOR)
