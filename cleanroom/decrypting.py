"""How a recipient gets an outcome of ciphertexts: its own key, and the sum, opened once.

Rule: the secret key is made here for one session, never leaves this object, and decrypts one sum
of the contributions of all members.
"""

import asyncio

from cleanroom.agreement import Agreement
from cleanroom.contract.document import COORDINATOR
from cleanroom.engine import Engine, Numbers
from cleanroom.errors import PeerMisbehaved
from cleanroom.execution.outcome import Opened
from cleanroom.heard import Heard
from cleanroom.member import Membership
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.plan import Plan
from cleanroom.statements import Encryption
from cleanroom.summing import TOTAL
from cleanroom.transport.blobs import receive_blob, send_blob
from cleanroom.transport.envelopes import Opening
from protocols.he.bfv import SecretKey
from protocols.he.contribution import ciphertexts_for, totals
from protocols.he.parameters import parameters_of
from protocols.he.scheme import CiphertextRefused


class Decrypting:
    """Opens one session's sum."""

    def __init__(self, member: Membership, engine: Engine, plan: Plan) -> None:
        if plan.ciphertexts is None:
            raise ValueError("the plan runs on shares")
        self._member = member
        self._engine = engine
        self._plan = plan
        self._cells: Ciphertexts = plan.ciphertexts
        self._key = SecretKey(parameters_of(self._cells.parameters))
        self._public = self._key.public

    @property
    def encryption(self) -> Encryption:
        n = ciphertexts_for(self._cells.numbers, self._public.parameters)
        name = self._cells.parameters
        return Encryption(parameters=name, key_id=self._public.id, ciphertexts=n)

    async def opened(self, session: Heard) -> Opened:
        """Hand out the public key, take the sum of all contributions and decrypt it.

        Raises:
            PeerMisbehaved: if it isn't that sum.
        """
        await session.accepted.wait()
        agreement = Agreement.of(session.request, tuple(session.rulings.values()))
        async with self._member.dial(COORDINATOR) as channel:
            call = channel.open(TOTAL)
            await call.send(Opening(session.request.session, session.request.plan_hash).to_bytes())
            await send_blob(call, self._public.data)
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
            return totals(self._key, summed, *expected)
        except CiphertextRefused as error:
            raise PeerMisbehaved(f"the sum is refused: {error}", party=COORDINATOR) from None
