"""How a recipient gets an outcome of ciphertexts: its own key, and the sum, opened once.

Rule: the secret key is made here for one session, never leaves this object, and decrypts one sum
of the contributions of all members. The seal, which tells that sum from any other, is known to the
contributors and hidden from the coordinator that adds.
"""

import asyncio
import secrets

from cleanroom.agreement import Agreement
from cleanroom.contract.document import COORDINATOR
from cleanroom.engine import Engine, Numbers
from cleanroom.errors import PeerMisbehaved
from cleanroom.execution.outcome import Opened
from cleanroom.heard import Heard
from cleanroom.identity.exchange import SECRET_BYTES, Exchange
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.plan import Plan
from cleanroom.statements import Encryption
from cleanroom.summing import TOTAL
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Opening
from protocols.he.bfv import SecretKey
from protocols.he.contribution import ciphertexts_for, totals
from protocols.he.parameters import parameters_of
from protocols.he.scheme import CiphertextRefused


class Decrypting:
    """Opens one session's sum."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        if plan.ciphertexts is None:
            raise ValueError("the plan runs on shares")
        self._engine = engine
        self._plan = plan
        self._cells: Ciphertexts = plan.ciphertexts
        self._key = SecretKey(parameters_of(self._cells.parameters))
        self._public = self._key.public
        self._exchange = Exchange()
        self._seal = secrets.token_bytes(SECRET_BYTES)

    @property
    def encryption(self) -> Encryption:
        n = ciphertexts_for(self._cells.numbers, self._public.parameters)
        return Encryption(
            parameters=self._cells.parameters,
            key_id=self._public.id,
            ciphertexts=n,
            exchange=self._exchange.public,
        )

    async def opened(self, session: Heard, channel: Channel) -> Opened:
        """Hand out public key and seal, take the sum of all contributions and decrypt it.

        Raises:
            PeerMisbehaved: if it isn't that sum.
        """
        await session.accepted.wait()
        agreement = Agreement.of(session.request, tuple(session.rulings.values()))
        call = channel.open(TOTAL)
        await call.send(Opening(session.request.session, session.request.plan_hash).to_bytes())
        await send_blob(call, self._public.data)
        await send_blob(call, b"".join(agreement.sealed(self._seal, self._exchange)))
        await call.last()
        n, most = self.encryption.ciphertexts, self._public.parameters.max_bytes
        summed = [await receive_blob(call, most) for _ in range(n)]
        await call.finish()
        await session.done.wait()
        numbers = await asyncio.to_thread(self._decrypted, summed, agreement)
        return await asyncio.to_thread(self._engine.read, self._plan, numbers)

    def _decrypted(self, summed: list[bytes], agreement: Agreement) -> Numbers:
        cells, contributors = self._cells, agreement.contributors
        expected = cells.numbers, cells.reach, contributors, agreement.binding
        try:
            return totals(self._key, summed, *expected, self._seal)
        except CiphertextRefused as error:
            raise PeerMisbehaved(f"the sum is refused: {error}", party=COORDINATOR) from None
