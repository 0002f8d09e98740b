"""The side of the rows' owner in a scoring: its columns encrypted, their scores opened.

Rule: the secret key is made here for one session, never leaves this object, and decrypts once.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import PeerMisbehaved
from cleanroom.identity.exchange import Exchange
from cleanroom.plan.scoring import ScorePlan
from cleanroom.recipient.heard import Heard
from cleanroom.session.about import Scoring
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import CONVERSE
from cleanroom.tasks import together
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import Opening
from protocols.he import score as he
from protocols.he.parameters import parameters_of
from protocols.he.scheme import CiphertextRefused

if TYPE_CHECKING:
    import pyarrow as pa


class Scores:
    """Asks for the scores of some rows, in their order.

    Args:
        columns: what the plan's `read_sql` gives, of one row at least.

    Attributes:
        bytes_sent: ciphertexts, so far.
    """

    def __init__(
        self, member: Membership, plan: ScorePlan, columns: Mapping[str, NDArray[Any]]
    ) -> None:
        self._member = member
        self._plan = plan
        self._persons = columns["person"]
        found = [columns[f"feature_{i}"] for i in range(len(plan.features))]
        reaches = [feature.reach for feature in plan.features]
        self._encrypting = he.Scoring(np.column_stack(found).astype(np.int64), reaches)
        self._exchange = Exchange()
        self.bytes_sent = 0

    @property
    def scoring(self) -> Scoring:
        """What the request says of these rows."""
        return Scoring(
            model=self._plan.model,
            table=self._plan.table,
            rows=len(self._persons),
            exchange=self._exchange.public,
        )

    async def opened(self, session: Heard, channel: Channel) -> "pa.Table":
        """Send the rows encrypted, block by block, and decrypt their scores.

        Raises:
            PeerMisbehaved: if an answer isn't the model owner's to this very block.
        """
        await session.accepted.wait()
        request, owner = session.request, self._plan.owner
        key = session.rulings[owner].exchange
        if key is None:
            raise PeerMisbehaved("accepted without a key of this session", party=owner)
        binding = binding_of(request, key)
        call = channel.open(CONVERSE)
        await call.send(Opening(request.session, request.plan_hash, leaf=1).to_bytes())
        names = Names(owner, key)
        talk = Conversation(call, names, self._exchange, binding)
        _, answers = await together(self._send(talk, call), self._receive(talk))
        await call.finish()
        await session.done.wait()
        self._check_signed(answers, binding, session)
        return await asyncio.to_thread(self._read, answers, binding)

    async def _send(self, talk: Conversation, call: Outgoing) -> None:
        blocks = self._encrypting.blocks()
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            for part in block.parts:
                await talk.send(part)
                self.bytes_sent += len(part)
        await call.last()

    async def _receive(self, talk: Conversation) -> list[bytes]:
        most = parameters_of(self._plan.parameters).max_bytes
        return [await talk.receive(most) for _ in range(0, len(self._persons), he.BLOCK)]

    def _check_signed(self, answers: list[bytes], binding: str, session: Heard) -> None:
        digest, owner = Digest(binding), self._plan.owner
        for answer in answers:
            digest.add(answer)
        if session.finished[owner, "scoring"].digest != digest.hexdigest():
            raise PeerMisbehaved("signed other scores than it sent", party=owner)

    def _read(self, answers: list[bytes], binding: str) -> "pa.Table":
        import pyarrow as pa

        plan = self._plan
        try:
            units = self._encrypting.scores(answers, binding)
        except CiphertextRefused as error:
            what = f"its scores are refused: {error}"
            raise PeerMisbehaved(what, party=plan.owner) from None
        linear = units / 10.0**plan.decimals
        scores = he.logistic(linear) if plan.kind == "logistic" else linear
        columns = {plan.person: self._persons, "score": np.round(scores, plan.score_decimals)}
        return pa.table(columns)
