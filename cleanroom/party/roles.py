"""What a member does in a session: share or encrypt what it owns, compute if it is one of three.

Rule: the order of steps and whom they go to. Arithmetic is the engine's, bytes are transport's.
"""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cleanroom.engine import Engine, Numbers, Triple
from cleanroom.execution.contribute import Contribution
from cleanroom.execution.outcome import Outcome
from cleanroom.party.outward import Outward
from cleanroom.party.query_run import QueryRun
from cleanroom.party.reading import Reader
from cleanroom.party.spending import Spending
from cleanroom.session.digest import outcome_bytes
from cleanroom.session.routes import CONTRIBUTE, ROUNDS
from cleanroom.tasks import together
from cleanroom.transport.channel import Outgoing
from cleanroom.transport.envelopes import Opening
from cleanroom.transport.grpc_link import GrpcLink, send_vector
from cleanroom.transport.link import drive
from protocols.context import Context
from protocols.randomness import KEY_BYTES
from protocols.rep3.setup import agree
from protocols.rounds import Gate, Party

if TYPE_CHECKING:
    from cleanroom.party.encrypting import Encrypting


@dataclass
class Roles:
    """A member's part in sessions.

    Attributes:
        reader: of its own rows.
        spending: what noisy answers cost it.
    """

    out: Outward
    engine: Engine
    reader: Reader
    spending: Spending
    _charging: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def play(self, session: QueryRun) -> None:
        """Do everything that falls to this member, and return when its outcome was collected."""
        if session.plan.ciphertexts is not None:
            await self._encrypt(session)
            return
        parts = []
        if any(leaf.member == self.out.member.name for leaf in session.plan.leaves):
            parts.append(self._input(session))
        if self.out.member.is_computing:
            parts.append(self._compute(session))
        await together(*parts)

    async def _input(self, session: QueryRun) -> None:
        started = time.monotonic()
        await self.out.stage(session.id, "reading")
        await self._charge(session)
        text_key = hashlib.sha256(session.id.encode()).digest()[:16]
        triples = await self._contributions(session, text_key)
        await self.out.stage(session.id, "sharing")
        await together(*(self._share(session, rank, triples) for rank in Party))
        leaves = [part[0].leaf for part in triples]  # no sizes: this goes to the recipient too
        digest = hashlib.sha256(json.dumps(leaves).encode()).hexdigest()
        await self.out.finished(session, "input", digest, started=started)

    async def _encrypt(self, session: QueryRun) -> None:
        started = time.monotonic()
        await self.out.stage(session.id, "reading")
        encrypting_of = await asyncio.to_thread(_encrypting)
        async with encrypting_of(self.out.member, session, self.out.attended()) as encrypting:
            _, numbers = await together(encrypting.agree(), self._numbers(session))
            await self._charge(session)
            await self.out.stage(session.id, "encrypting")
            sent = await encrypting.send(numbers)
        await self.out.finished(
            session, "input", sent.hexdigest(), bytes_sent=sent.n_bytes, started=started
        )

    async def _charge(self, session: QueryRun) -> None:
        """Charge a noisy query once nobody can refuse it any more, before anything leaves.

        Sessions are charged in the order in which the coordinator says so, which is the same at
        all owners: where budgets suffice for one of two, it is the same one everywhere.
        """
        if session.plan.noise is None:
            return
        await session.accepted.wait()
        async with self._charging:
            await asyncio.to_thread(self.spending.charge, session.id, session.plan)

    async def _contributions(self, session: QueryRun, text_key: bytes) -> Sequence[Triple]:
        plan, me, contribute = session.plan, self.out.member.name, self.engine.contribute
        return await self.reader.read(lambda rows: contribute(plan, me, rows, text_key))

    async def _numbers(self, session: QueryRun) -> Numbers:
        plan, me, add_up = session.plan, self.out.member.name, self.engine.add_up
        no_key = b""  # no text is hashed where cells are known
        return await self.reader.read(lambda rows: add_up(plan, me, rows, no_key))

    async def _share(self, session: QueryRun, rank: Party, triples: Sequence[Triple]) -> None:
        to = session.ranks[rank]
        if to == self.out.member.name:
            for triple in triples:
                session.contribute(triple[rank])
            return
        async with self.out.member.dial(to) as channel:
            for triple in triples:
                await _contribute(channel.open(CONTRIBUTE), session, triple[rank])

    async def _compute(self, session: QueryRun) -> None:
        contributions = await session.contributions()
        started = time.monotonic()
        me, dial = Party(session.ranks.index(self.out.member.name)), self.out.member.dial
        async with AsyncExitStack() as stack:
            calls = {
                Party(rank): (await stack.enter_async_context(dial(peer))).open(ROUNDS)
                for rank, peer in enumerate(session.ranks)
                if rank != me
            }
            for call in calls.values():
                await call.send(Opening(session.id, session.request.plan_hash).to_bytes())
            link = GrpcLink(calls, session.mailbox)
            outcome = await self._drive(session, me, link, contributions)
            for call in calls.values():
                await call.last()
            await together(*(call.finish() for call in calls.values()))
        session.finish(outcome)
        await self.out.finished(
            session,
            "computing",
            hashlib.sha256(outcome_bytes(outcome)).hexdigest(),
            rows=outcome.n,
            bytes_sent=link.bytes_sent,
            rounds=link.rounds,
            started=started,
        )
        await session.until_collected()

    async def _drive(
        self,
        session: QueryRun,
        me: Party,
        link: GrpcLink,
        contributions: dict[int, Contribution],
    ) -> Outcome:
        seed = secrets.token_bytes(KEY_BYTES)
        prss = await drive(agree(me, seed, _binding(session, contributions)), link)
        await self.out.stage(session.id, "computing")  # now that all three stand in one session
        context = Context(me, prss, Gate("query"))
        return await drive(self.engine.compute(context, session.plan, contributions), link)


def _encrypting() -> "type[Encrypting]":
    """Load what encrypts, which takes a moment the first time."""
    from cleanroom.party.encrypting import Encrypting

    return Encrypting


async def _contribute(call: Outgoing, session: QueryRun, part: Contribution) -> None:
    about = Opening(session.id, session.request.plan_hash, part.leaf, part.n, part.words.size)
    await call.send(about.to_bytes())
    await send_vector(call, f"leaf/{part.leaf}", np.ascontiguousarray(part.words))
    await call.finish()


def _binding(session: QueryRun, contributions: dict[int, Contribution]) -> bytes:
    """Return what all three must agree on; an owner that told different sizes shows here."""
    leaves = enumerate(session.plan.leaves)
    sizes = [(i, contributions[i].n, leaf.member) for i, leaf in leaves]
    request = session.request
    return json.dumps([request.contract_hash, session.id, request.plan_hash, sizes]).encode()
