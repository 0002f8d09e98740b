"""An owner's side of a training: its rows read once, each step answered in masked words.

Rule: rows stay in this process. What leaves it is masked with secrets that it shares with every
other owner, and only as often, and as much at once, as the plan says.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanroom.errors import CleanroomError, MessageInvalid, PlanMismatch
from cleanroom.identity.exchange import Exchange
from cleanroom.party.outward import Outward
from cleanroom.party.reading import Reader
from cleanroom.party.run import Run
from cleanroom.party.spending import Spending
from cleanroom.plan.training import TrainPlan
from cleanroom.session.about import Training
from cleanroom.session.agreement import Agreement
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.statements import Request, Signed
from cleanroom.session.sums import OVERHEAD_BYTES, RULING_BYTES, roster_of, told, verifying
from cleanroom.tasks import together
from cleanroom.transport.blobs import divided
from cleanroom.transport.channel import Outgoing
from cleanroom.transport.envelopes import unpack
from protocols.rounds import ProtocolError
from protocols.secagg.member import Member

if TYPE_CHECKING:
    from cleanroom.learning.asked import Asked
    from cleanroom.learning.own import Found

COINS_BYTES = 32


@dataclass
class TrainRun(Run):
    """One training at one of its owners.

    Attributes:
        exchange: this member's key of the session.
    """

    plan: TrainPlan
    training: Training
    exchange: Exchange


@dataclass
class Learning:
    """A member's part in trainings on its rows.

    Attributes:
        reader: of its own rows.
        spending: what noisy sums cost it.
    """

    out: Outward
    reader: Reader
    spending: Spending

    async def begin(self, request: Request, training: Training) -> TrainRun:
        """Plan the request for ourselves.

        Raises:
            PlanMismatch: if the plan or its members aren't those that were signed.
            CleanroomError: if there is no plan.
        """
        plan, me = await asyncio.to_thread(self._compile, request), self.out.member.name
        same = (request.plan_hash, request.members) == (plan.hash, plan.owners)
        same = same and (request.without, request.purpose) == (plan.without, plan.purpose)
        if not same or request.encryption is not None or me not in plan.owners:
            raise PlanMismatch("compiled another plan than the client", party=me)
        if training.least != plan.least:
            raise PlanMismatch("asks for another number of owners to stay", party=request.recipient)
        return TrainRun(self.out.member, request, plan, training, Exchange())

    def _compile(self, request: Request) -> TrainPlan:
        from cleanroom.learning.job import Job
        from cleanroom.query.training import compile_training

        contract = self.out.member.contract
        job = Job.read(request.sql)
        return compile_training(job, contract.terms, contract.hash, request.recipient)

    async def play(self, run: TrainRun) -> None:
        """Answer the recipient's steps until it has enough."""
        started = time.monotonic()
        await self.out.stage(run.id, "reading")
        async with self.out.conversing(run) as call:
            asked, digest = await self._converse(run, call)
        sent, n_bytes = digest.hexdigest(), digest.n_bytes
        await self.out.finished(
            run, "training", sent, rounds=asked.steps, bytes_sent=n_bytes, started=started
        )

    async def _converse(self, run: TrainRun, call: Outgoing) -> "tuple[Asked, Digest]":
        names = Names(run.request.recipient, run.training.exchange)
        binding = binding_of(run.request, run.exchange.public)
        talk = Conversation(call, names, run.exchange, binding)
        agreement, asked = await together(self._agreed(run, talk), self._read(run))
        await asyncio.to_thread(self.spending.charge, run.id, run.plan)
        await self.out.stage(run.id, "training")
        member = self._member(run, agreement)
        digest, most = Digest(agreement.binding), 8 * run.plan.max_words + OVERHEAD_BYTES
        try:
            while message := await talk.receive(most):
                digest.cover(message)
                reply = await asyncio.to_thread(_reply, member, message, asked)
                digest.add(reply)
                await talk.send(reply)
        finally:
            asked.close()
        return asked, digest

    async def _agreed(self, run: TrainRun, talk: Conversation) -> Agreement:
        """Take all owners' signed keys of this session from the recipient."""
        n = len(run.plan.owners)
        rulings = [_signed(part) for part in divided(await talk.receive(n * RULING_BYTES), n)]
        return Agreement.read(run.request, rulings, self.out.member.contract)

    async def _read(self, run: TrainRun) -> "Asked":
        """Read this member's rows, once."""
        plan, me = run.plan, self.out.member.name
        found = await self.reader.read(lambda rows: rows.run(plan.read_sql, plan.person_key))
        return await asyncio.to_thread(_asked, plan, me, found)

    def _member(self, run: TrainRun, agreement: Agreement) -> Member:
        me, identity = self.out.member.name, self.out.member.identity
        return Member(
            roster=roster_of(run.plan, agreement),
            me=me,
            secrets=agreement.secrets(me, run.exchange),
            sign=identity.sign,
            verify=verifying(self.out.member.contract),
            coins=secrets.token_bytes(COINS_BYTES),
        )


def _asked(plan: TrainPlan, me: str, found: "Found") -> "Asked":
    from cleanroom.learning.asked import Asked
    from cleanroom.learning.job import Job
    from cleanroom.learning.own import own_rows
    from cleanroom.learning.testing import OwnerWithTest

    try:
        train, test = own_rows(plan, me, found)
        job = Job.read(plan.job)
        owner = OwnerWithTest(job.spec, plan.facts, train, test, job.job.max_membership)
    except CleanroomError as error:
        error.party = error.party or me
        raise
    return Asked(plan, me, owner)


def _reply(member: Member, message: bytes, asked: "Asked") -> bytes:
    try:
        return member.reply(message, asked.words)
    except ProtocolError as error:
        raise told(error) from None


def _signed(part: bytes) -> Signed:
    match unpack(part):
        case Signed() as signed:
            return signed
        case _:
            raise MessageInvalid("expected a ruling")
