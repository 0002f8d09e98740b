"""How a recipient gets an outcome of shares: from the three that computed, each once."""

import asyncio
import hashlib

from cleanroom.engine import Engine
from cleanroom.errors import MessageInvalid, PeerMisbehaved
from cleanroom.execution.outcome import Opened, Outcome
from cleanroom.plan.plan import Plan
from cleanroom.recipient.heard import Heard
from cleanroom.session.about import Encryption
from cleanroom.session.digest import outcome_bytes
from cleanroom.session.member import Membership
from cleanroom.session.routes import COLLECT
from cleanroom.tasks import together
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Opening, OutcomeHeader
from cleanroom.transport.frames import MAX_WORDS
from cleanroom.transport.grpc_link import receive_vector


class Collecting:
    """Puts one session's outcome together from shares."""

    encryption: Encryption | None = None

    def __init__(self, member: Membership, engine: Engine, plan: Plan) -> None:
        self._member = member
        self._engine = engine
        self._plan = plan

    async def opened(self, session: Heard, _: Channel) -> Opened:
        """Take the outcome from all three, once all members have accepted.

        Raises:
            PeerMisbehaved: if one signed another outcome than it sent.
        """
        await session.accepted.wait()
        ranks = self._member.contract.terms.computing
        first, second, third = await together(*(self._collect(p, session) for p in ranks))
        await session.done.wait()
        for rank, outcome in zip(ranks, (first, second, third), strict=True):
            digest = hashlib.sha256(outcome_bytes(outcome)).hexdigest()
            if session.finished[rank, "computing"].digest != digest:
                raise PeerMisbehaved("signed another outcome than it sent", party=rank)
        outcomes = first, second, third
        return await asyncio.to_thread(self._engine.reconstruct, self._plan, outcomes)

    async def _collect(self, peer: str, session: Heard) -> Outcome:
        async with self._member.dial(peer) as channel:
            call = channel.open(COLLECT)
            await call.send(Opening(session.request.session, session.request.plan_hash).to_bytes())
            header = OutcomeHeader.of(await call.receive())
            if header.n_words > MAX_WORDS or header.n > header.n_words:
                raise MessageInvalid("an outcome is larger than allowed", party=peer)
            words = await receive_vector(call, "outcome", header.n_words)
            await call.finish()
            return Outcome(header.n, words)
