"""An owner's side of a profile: its own rows counted, and what the contract lets it tell told.

Rule: counts stay in this process. What leaves it is rough, rests on enough persons, and is
encrypted for the recipient; the coordinator learns that a profile was asked.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cleanroom.errors import PlanMismatch
from cleanroom.execution.profile import Told, tell
from cleanroom.identity.exchange import Exchange
from cleanroom.party.reading import Reader
from cleanroom.party.run import Run
from cleanroom.plan.profile import ProfilePlan
from cleanroom.policy.own import OwnPolicy
from cleanroom.query.profile import compile_profile
from cleanroom.session.about import Profile
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import CONVERSE
from cleanroom.session.statements import Finished, Request, Statement
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import Opening


@dataclass
class ProfileRun(Run):
    """One profile at one of its owners.

    Attributes:
        exchange: this member's key of the session.
    """

    plan: ProfilePlan
    profile: Profile
    exchange: Exchange


@dataclass
class Profiling:
    """A member's part in profiles of its tables.

    Attributes:
        reader: of its own rows. own: its policy.
        report, stage, attended: as in `Roles`.
    """

    member: Membership
    reader: Reader
    report: Callable[[Statement], Awaitable[None]]
    stage: Callable[[str, str], Awaitable[None]]
    attended: Callable[[], Channel]
    own: OwnPolicy

    def begin(self, request: Request, profile: Profile) -> ProfileRun:
        """Plan the request for ourselves.

        Raises:
            PlanMismatch: if the plan or its members aren't those that were signed.
            UnknownName: if there is no such table.
        """
        contract, me = self.member.contract, self.member.name
        asked = request.recipient, request.purpose
        plan = compile_profile(profile.table, contract.terms, contract.hash, *asked)
        told = request.plan_hash, request.members, request.sql, request.encryption
        if told != (plan.hash, plan.owners, plan.text, None) or me not in plan.owners:
            raise PlanMismatch("compiled another plan than the client", party=me)
        return ProfileRun(self.member, request, plan, profile, Exchange())

    async def play(self, run: ProfileRun) -> None:
        """Count, and tell the recipient."""
        started = time.monotonic()
        await self.stage(run.id, "reading")
        told = await self._told(run.plan)
        call = self.attended().open(CONVERSE)
        try:
            await call.send(Opening(run.id, run.request.plan_hash).to_bytes())
            digest = await self._tell(run, told, call)
            await call.last()
            await call.finish()
        finally:
            call.cancel()  # nothing, once it has ended
        await self.report(
            Finished(
                session=run.id,
                contract_hash=run.request.contract_hash,
                plan_hash=run.request.plan_hash,
                party=self.member.name,
                role="profile",
                digest=digest.hexdigest(),
                rows=0,
                rounds=0,
                bytes_sent=digest.n_bytes,
                milliseconds=round(1000 * (time.monotonic() - started)),
            )
        )

    async def _told(self, plan: ProfilePlan) -> Told:
        no_key = b""  # no text is hashed
        found = await self.reader.read(lambda rows: rows.run(plan.read_sql, no_key))
        least = max(plan.min_group, self.own.min_group or 1)
        return await asyncio.to_thread(tell, plan, found, least)

    async def _tell(self, run: ProfileRun, told: Told, call: Outgoing) -> Digest:
        binding = binding_of(run.request, run.exchange.public)
        names = Names(run.request.recipient, run.profile.exchange)
        digest, data = Digest(binding), told.to_bytes()
        digest.add(data)
        await Conversation(call, names, run.exchange, binding).send(data)
        return digest
