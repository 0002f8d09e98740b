"""The side of a training's recipient: it asks all owners for sums, and goes on with each.

Rule: it gets sums over all owners that stayed, and nothing of one owner. What it keeps between
steps, its checkpoint, stays with it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cleanroom.contract.document import COORDINATOR
from cleanroom.errors import GONE, CleanroomError, ConfigInvalid, PeerMisbehaved, PeerUnavailable
from cleanroom.identity.exchange import Exchange
from cleanroom.learning import wire
from cleanroom.learning.answers import n_words, sums_of
from cleanroom.learning.step import Step
from cleanroom.plan.training import TrainPlan
from cleanroom.recipient.course import Course, Ended
from cleanroom.recipient.heard import Heard
from cleanroom.session import about
from cleanroom.session.agreement import Agreement
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.member import Membership
from cleanroom.session.routes import CONVERSE
from cleanroom.session.sums import OVERHEAD_BYTES, roster_of, told, verifying
from cleanroom.tasks import together
from cleanroom.transport.blobs import joined
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import Opening, pack
from protocols.rounds import ProtocolError
from protocols.secagg.errors import TooFewMembers
from protocols.secagg.server import Opened, Server, Trips

M = TypeVar("M")
SETTLE_S = 1.0
_RESUME = "Start the named process again, and go on from the job's folder with resume."


@dataclass
class _Talk:
    """The conversation with one owner, and what both have said in it."""

    call: Outgoing
    conversation: Conversation
    digest: Digest

    async def ask(self, message: bytes, most: int) -> bytes:
        """Return the owner's reply to a message."""
        self.digest.cover(message)
        await self.conversation.send(message)
        reply = await self.conversation.receive(most)
        self.digest.add(reply)
        return reply


@dataclass
class Conducting(Generic[M]):
    """Conducts one training.

    Args:
        course: asks for sums, and is told each.

    Attributes:
        steps: asked so far.
        bytes_sent: by this side.
    """

    member: Membership
    plan: TrainPlan
    course: Course[M]
    steps: int = 0
    bytes_sent: int = 0
    _exchange: Exchange = field(default_factory=Exchange)
    _talks: dict[str, _Talk] = field(default_factory=dict)
    _left: dict[str, CleanroomError] = field(default_factory=dict)

    @property
    def asked(self) -> about.Training:
        """What the request says of this training besides its job."""
        return about.Training(exchange=self._exchange.public, least=self.plan.least)

    async def opened(self, session: Heard, channel: Channel) -> M:
        """Train to the end, and check what the owners signed about it.

        Raises:
            PeerUnavailable: naming who left, if too few stayed.
            PeerMisbehaved: naming whoever sent what it may not.
            CleanroomError: why there is no such model.
        """
        await session.accepted.wait()
        agreement = Agreement.of(session.request, tuple(session.rulings.values()))
        try:
            await self._meet(session, agreement, channel)
            model = await self._train(session, agreement)
            await together(*(self._part(session, name) for name in tuple(self._talks)))
        finally:
            for talk in self._talks.values():
                talk.call.cancel()
        await session.done.wait()
        self._check_signed(session)
        return model

    async def _meet(self, session: Heard, agreement: Agreement, channel: Channel) -> None:
        """Open a conversation with every owner, and hand it all owners' signed keys."""
        request = session.request
        accepted = set(session.rulings)
        signed = [s for s in session.signed if s.kind == "ruling" and s.signer in accepted]
        rulings = joined([pack(one) for one in signed])
        for place, name in enumerate(request.members, start=1):
            call = channel.open(CONVERSE)
            await call.send(Opening(request.session, request.plan_hash, leaf=place).to_bytes())
            names = Names(name, agreement.keys[name])
            binding = binding_of(request, names.key)
            talk = Conversation(call, names, self._exchange, binding)
            self._talks[name] = _Talk(call, talk, Digest(agreement.binding))
            await talk.send(rulings)

    async def _train(self, session: Heard, agreement: Agreement) -> M:
        roster = roster_of(self.plan, agreement)
        server = Server(roster, verifying(self.member.contract))
        step: Step | Ended[M] = await asyncio.to_thread(self.course.begin)
        while isinstance(step, Step):
            self._check(step)
            question, n = wire.to_bytes(step), n_words(step)
            opened = await self._sum(session, server.round(question, n), 8 * n + OVERHEAD_BYTES)
            owners = len(self.plan.owners)
            sums = sums_of(step, opened.words, owners, opened.survivors)
            step = await asyncio.to_thread(self.course.next, sums)
        return step.model

    def _check(self, step: Step) -> None:
        if step.round > self.plan.max_rounds or self.steps >= self.plan.max_steps:
            what = f"the training takes more than {self.plan.max_rounds} rounds"
            raise ConfigInvalid(what, remedy="Allow more max_rounds in the job.")
        if n_words(step) > self.plan.max_words:
            what = f"a step of {n_words(step)} numbers; {self.plan.max_words} may be asked for"
            raise ConfigInvalid(what, remedy="Ask for a smaller model.")
        self.steps += 1

    async def _sum(self, session: Heard, trips: Trips, most: int) -> Opened:
        """Ask the owners that stay until their sum is open."""
        replies: Mapping[str, bytes] | None = None
        while True:
            try:
                found = await asyncio.to_thread(_advance, trips, replies)
            except ProtocolError as error:
                raise self._told(error) from None
            if isinstance(found, Opened):
                return found
            asked = [name for name in found if name in self._talks]
            came = await together(*(self._ask(session, n, found[n], most) for n in asked))
            replies = {n: reply for n, reply in zip(asked, came, strict=True) if reply is not None}

    async def _ask(self, session: Heard, name: str, message: bytes, most: int) -> bytes | None:
        """Return an owner's reply; None if it has left."""
        talk = self._talks[name]
        try:
            async with asyncio.timeout(self.plan.patience_s):
                self.bytes_sent += len(message)
                return await talk.ask(message, most)
        except GONE as fault:
            await self._gone(session, name, fault)
        except TimeoutError:
            what = f"didn't answer in {self.plan.patience_s} s"
            self._leave(session, name, PeerUnavailable(what, party=name))
        return None

    async def _gone(self, session: Heard, name: str, fault: CleanroomError) -> None:
        """Go on without an owner, unless it is the coordinator that is gone."""
        if fault.party == COORDINATOR:
            await asyncio.sleep(SETTLE_S)  # by then the session's own call has ended too
            fault = PeerUnavailable("the connection broke", party=name)
        self._leave(session, name, fault)

    def _leave(self, session: Heard, name: str, fault: CleanroomError) -> None:
        self._talks.pop(name).call.cancel()
        self._left[name] = fault
        session.leave(name)

    async def _part(self, session: Heard, name: str) -> None:
        """Tell an owner that nothing more comes."""
        talk = self._talks[name]
        try:
            await talk.conversation.send(b"")
            await talk.call.last()
            await talk.call.finish()
        except GONE as fault:
            await self._gone(session, name, fault)

    def _told(self, error: ProtocolError) -> CleanroomError:
        """Return why a sum can't be had: what the first owner that is missing left with."""
        if isinstance(error, TooFewMembers):
            for name in sorted(error.missing & self._left.keys()):
                fault = self._left[name].again()
                fault.message += f"; {self.plan.least} owners have to stay"
                fault.remedy = _RESUME
                return fault
        return told(error)

    def _check_signed(self, session: Heard) -> None:
        if len(session.finished) < self.plan.least:
            what = "left before it signed what it did"
            raise PeerUnavailable(what, party=", ".join(sorted(session.left)), remedy=_RESUME)
        for name, talk in self._talks.items():
            finished = session.finished.get((name, "training"))
            if finished is not None and finished.digest != talk.digest.hexdigest():
                raise PeerMisbehaved("signed other answers than it sent", party=name)


def _advance(trips: Trips, replies: Mapping[str, bytes] | None) -> Mapping[str, bytes] | Opened:
    """Take a round of sums one trip on."""
    try:
        return next(trips) if replies is None else trips.send(replies)
    except StopIteration as end:
        opened: Opened = end.value
        return opened
