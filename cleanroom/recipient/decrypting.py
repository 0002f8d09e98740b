"""How a recipient gets an outcome of ciphertexts: its own key, and the sum, opened once.

Rule: the secret key is made here for one session, never leaves this object, and decrypts one sum
of the contributions of all members. The seal, which tells that sum from any other, is known to the
contributors and hidden from the coordinator that adds.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Protocol as Interface

from cleanroom.contract.document import COORDINATOR
from cleanroom.engine import Engine, Numbers
from cleanroom.errors import PeerMisbehaved
from cleanroom.execution.outcome import Opened
from cleanroom.identity.exchange import SECRET_BYTES, Exchange
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.plan import Plan
from cleanroom.recipient.heard import Heard
from cleanroom.session.about import Encryption
from cleanroom.session.agreement import Agreement
from cleanroom.session.routes import TOTAL
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Opening
from protocols.he.bfv import SecretKey
from protocols.he.contribution import ciphertexts_for, totals
from protocols.he.parameters import Parameters, parameters_of
from protocols.he.scheme import CiphertextRefused

_NAMED = 8  # owners whom an error lists


class Holder(Interface):
    """Who holds a session's secret key: what it hands out, and how it opens the sum.

    Attributes:
        id: names what is handed out, and covers its every byte.
        n: how many ciphertexts each owner sends.
    """

    parameters: Parameters
    id: str
    n: int
    data: bytes

    def opened(
        self, summed: list[bytes], contributors: Sequence[str], binding: str, seal: bytes
    ) -> Numbers:
        """Decrypt the sum, once."""
        ...


class Totals:
    """Hands out a public key, and decrypts the totals of all cells."""

    def __init__(self, cells: Ciphertexts) -> None:
        self.parameters = parameters_of(cells.parameters)
        self._cells, self._key = cells, SecretKey(self.parameters)
        self.id, self.data = self._key.public.id, self._key.public.data
        self.n = ciphertexts_for(cells.numbers, self.parameters)

    def opened(
        self, summed: list[bytes], contributors: Sequence[str], binding: str, seal: bytes
    ) -> Numbers:
        expected = self._cells.numbers, self._cells.reach, contributors, binding
        return totals(self._key, summed, *expected, seal)


class Decrypting:
    """Opens one session's sum."""

    def __init__(self, engine: Engine, plan: Plan, holder: Holder) -> None:
        self._engine = engine
        self._plan = plan
        self._holder = holder
        self._exchange = Exchange()
        self._seal = secrets.token_bytes(SECRET_BYTES)

    @property
    def encryption(self) -> Encryption:
        return Encryption(
            parameters=self._holder.parameters.name,
            key_id=self._holder.id,
            ciphertexts=self._holder.n,
            exchange=self._exchange.public,
        )

    async def opened(self, session: Heard, channel: Channel) -> Opened:
        """Hand out key or question and seal, take the sum of all contributions and decrypt it.

        Raises:
            PeerMisbehaved: if it isn't that sum; then any of those who made it may be to blame.
        """
        await session.begun.wait()
        call = channel.open(TOTAL)
        await call.send(Opening(session.request.session, session.request.plan_hash).to_bytes())
        await send_blob(call, self._holder.data)  # while the members still rule and read
        await session.accepted.wait()
        agreement = Agreement.of(session.request, tuple(session.rulings.values()))
        await send_blob(call, b"".join(agreement.sealed(self._seal, self._exchange)))
        await call.last()
        n, most = self._holder.n, self._holder.parameters.max_bytes
        summed = [await receive_blob(call, most) for _ in range(n)]
        await call.finish()
        await session.done.wait()
        numbers = await asyncio.to_thread(self._decrypted, summed, agreement)
        return await asyncio.to_thread(self._engine.read, self._plan, numbers)

    def _decrypted(self, summed: list[bytes], agreement: Agreement) -> Numbers:
        bound = agreement.contributors, agreement.binding, self._seal
        try:
            return self._holder.opened(summed, *bound)
        except CiphertextRefused as error:
            suspects = " or ".join((COORDINATOR, *agreement.contributors))
            if len(agreement.contributors) > _NAMED:
                suspects = f"{COORDINATOR} or an owner"
            raise PeerMisbehaved(f"the sum is refused: {error}", party=suspects) from None
