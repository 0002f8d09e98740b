"""An owner's side of a profile: its own rows counted, and what the contract lets it tell told.

Rule: counts stay in this process. What leaves it is rough, rests on enough persons, and is
encrypted for the recipient; the coordinator learns that a profile was asked.
"""

import asyncio
import time
from dataclasses import dataclass

from cleanroom.errors import PlanMismatch
from cleanroom.execution.profile import Told, tell
from cleanroom.identity.exchange import Exchange
from cleanroom.party.outward import Outward
from cleanroom.party.reading import Reader
from cleanroom.party.run import Run
from cleanroom.plan.profile import ProfilePlan
from cleanroom.policy.own import OwnPolicy
from cleanroom.query.profile import compile_profile
from cleanroom.session.about import Profile
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.statements import Request
from cleanroom.transport.channel import Outgoing


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
    """

    out: Outward
    reader: Reader
    own: OwnPolicy

    def begin(self, request: Request, profile: Profile) -> ProfileRun:
        """Plan the request for ourselves.

        Raises:
            PlanMismatch: if the plan or its members aren't those that were signed.
            UnknownName: if there is no such table.
        """
        contract, me = self.out.member.contract, self.out.member.name
        asked = request.recipient, request.purpose
        plan = compile_profile(profile.table, contract.terms, contract.hash, *asked)
        told = request.plan_hash, request.members, request.sql, request.encryption
        if told != (plan.hash, plan.owners, plan.text, None) or me not in plan.owners:
            raise PlanMismatch("compiled another plan than the client", party=me)
        return ProfileRun(self.out.member, request, plan, profile, Exchange())

    async def play(self, run: ProfileRun) -> None:
        """Count, and tell the recipient."""
        started = time.monotonic()
        await self.out.stage(run.id, "reading")
        told = await self._told(run.plan)
        async with self.out.conversing(run) as call:
            digest = await self._tell(run, told, call)
        sent = digest.hexdigest()
        await self.out.finished(run, "profile", sent, bytes_sent=digest.n_bytes, started=started)

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
