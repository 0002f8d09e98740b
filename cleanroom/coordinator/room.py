"""The coordinator: relays signed statements between a recipient and the members it needs.

Rule: it never gets a share, a plaintext or a key that decrypts, and is believed by nobody: members
check every signature themselves. All it can do wrong is to withhold messages.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog

from cleanroom.audit.keeping import Keeping
from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.coordinator.line import Line
from cleanroom.coordinator.meeting import Meeting
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.showing import Showing
from cleanroom.coordinator.summing import Summing
from cleanroom.errors import (
    CleanroomError,
    DeadlineExceeded,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
    PolicyDenied,
    SessionCancelled,
)
from cleanroom.session.receipt import Receipt
from cleanroom.session.replays import Replays
from cleanroom.session.routes import ABSENT, ACCEPTED, LEFT
from cleanroom.session.statements import (
    Failed,
    Finished,
    Request,
    Ruling,
    Signed,
    read,
    read_request,
)
from cleanroom.tasks import first
from cleanroom.transport import faults
from cleanroom.transport.call import Call
from cleanroom.transport.envelopes import (
    Cancel,
    Opening,
    Progress,
    Shown,
    pack,
    pack_online,
    unpack,
)

GRACE_S = 5  # beyond a request's deadline, so that the members' own reports come first
LOST_S = 1.0  # how long a broken call waits for the reason that its caller states
MAX_SESSIONS = 32  # of one recipient at a time
logger = structlog.get_logger()


class Room:
    """Who attends, and which sessions run."""

    def __init__(self, contract: Contract, keeping: Keeping) -> None:
        self._contract = contract
        self._attending: dict[str, Line] = {}
        self._keeping, self._showing = keeping, Showing(keeping, self._attending)
        self._relays: dict[str, Relay] = {}
        self._replays = Replays(time.time())

    async def attend(self, call: Call) -> None:
        """Relay to and from one member's process for as long as it attends."""
        member = call.peer
        if member not in self._contract.terms.members:
            raise NotAuthorised("is not a member", party=member)
        if member in self._attending:
            raise NotAuthorised("another process of this member attends", party=member)
        line = self._attending[member] = Line()
        line.put(pack(Progress("", COORDINATOR, "attending")))
        self._showing.greet(member)
        logger.info("attending", party=member)
        try:
            await first(line.pump(call), self._listen(call))
        finally:
            del self._attending[member]
            self._absent(member)
            logger.info("left", party=member)

    async def submit(self, call: Call) -> None:
        """Relay a recipient's request and what the members state about it."""
        signed = unpack(await call.receive())
        if not isinstance(signed, Signed):
            raise MessageInvalid("expected a signed request")
        request = read_request(signed, self._contract)
        self._admit(call.peer, request)
        relay = self._relays[request.session] = Relay(request, [signed])
        code = SessionCancelled.code
        try:
            await self._conduct(call, relay)
            code = ""
        except CleanroomError as fault:
            code = fault.code
            raise
        finally:
            del self._relays[request.session]
            self._cancel(relay, SessionCancelled("the recipient ended the session"))
            await self._keeping.conclude(request, Receipt(tuple(relay.signed)).digest, code)
            self._showing.publish()

    async def _conduct(self, call: Call, relay: Relay) -> None:
        request = relay.request
        await self._keeping.begin(request)
        try:
            for member in request.members:
                self._pass_on(relay.signed[0], member, relay)
            relay.line.put(pack(Progress(request.session, COORDINATOR, "asked")))
            async with asyncio.timeout(request.deadline_s + GRACE_S):
                await first(relay.line.pump(call), self._until_done(call))
        except TimeoutError:
            late = DeadlineExceeded(f"not done in {request.deadline_s} s")
            self._cancel(relay, late)
            raise late.again() from None

    def _pass_on(self, signed: Signed, member: str, relay: Relay) -> None:
        if member in self._attending:
            self._attending[member].put(pack(signed))
        else:
            relay.line.put(pack(Progress(relay.request.session, member, ABSENT)))

    async def add(self, call: Call) -> None:
        """Add a contributor's ciphertexts to its session's sum."""
        relay, summing = await self._summing(call)
        if call.peer not in relay.request.members:
            raise NotAuthorised("has no part in this session", party=call.peer)
        await self._serve(summing.add(call), relay, summing, call.peer)

    async def total(self, call: Call) -> None:
        """Hand a session's sum to its recipient."""
        relay, summing = await self._summing(call)
        await self._serve(summing.total(call), relay, summing, call.peer)

    async def converse(self, call: Call) -> None:
        """Join a member's call to one of its session's recipient."""
        relay, place = await self._relay(call)
        if (pipe := relay.pipe) is None:
            raise _no_session()
        member = pipe.member_of(call.peer, place)
        ending = call.peer if relay.request.training is None else member
        await self._serve(pipe.join(call, place), relay, pipe, ending)

    async def _summing(self, call: Call) -> tuple[Relay, Summing]:
        relay, _ = await self._relay(call)
        if relay.summing is None:
            raise _no_session()
        return relay, relay.summing

    async def _relay(self, call: Call) -> tuple[Relay, int]:
        opening = Opening.of(await call.receive())
        relay = self._relays.get(opening.session)
        if relay is None:
            raise _no_session()
        if opening.plan_hash != relay.request.plan_hash:
            raise PlanMismatch("accepted another plan for this session", party=call.peer)
        return relay, opening.leaf

    async def _serve(
        self, work: Coroutine[Any, Any, None], relay: Relay, meeting: Meeting, peer: str
    ) -> None:
        """Serve a call of a session until that ends; a peer that breaks it off ends the session.

        Args:
            peer: whose part ends with the call, whoever breaks it off.
        """
        try:
            await first(work, meeting.until_failed())
        except PeerMisbehaved as fault:
            self._cancel(relay, fault)
            raise
        except PeerUnavailable as fault:
            self._lost(relay, fault.party if relay.request.training is None else peer)
            raise
        except asyncio.CancelledError:
            self._lost(relay, peer)
            raise

    def _lost(self, relay: Relay, peer: str) -> None:
        """A call broke: blame its caller, unless the real reason is known within a moment."""
        fault = PeerUnavailable("the connection broke", party=peer)
        asyncio.get_running_loop().call_later(LOST_S, self._leave, relay, peer, fault)

    async def status(self, call: Call) -> None:
        """Tell a member who attends."""
        await call.send(pack_online(tuple(sorted(self._attending))))

    def _admit(self, caller: str, request: Request) -> None:
        """Refuse a request that could not run.

        Raises:
            NotAuthorised, RequestReplayed: as they say.
            PeerUnavailable: naming every member that is needed and doesn't attend.
        """
        if caller != request.recipient:
            raise NotAuthorised("submits a request in another's name", party=caller)
        running = sum(r.request.recipient == caller for r in self._relays.values())
        if running >= MAX_SESSIONS:
            raise SessionCancelled(f"{running} sessions run already", party=caller)
        absent = [name for name in request.members if name not in self._attending]
        if absent and request.rehearsal is None:
            raise PeerUnavailable("doesn't attend the room", party=", ".join(absent))
        self._replays.check(request)

    async def _until_done(self, call: Call) -> None:
        """Return when the recipient has all it wants, or raise why it ends early."""
        message = await call.receive()
        if message is None:
            return
        match unpack(message):
            case Cancel(fault=fault):
                raise fault
            case _:
                raise MessageInvalid("expected nothing more than a cancel")

    async def _listen(self, call: Call) -> None:
        while (message := await call.receive()) is not None:
            match unpack(message):
                case Signed() as signed:
                    self._on_statement(call.peer, signed, message)
                case Progress(session, member) if member == call.peer:
                    if (relay := self._relay_of(session, call.peer)) is not None:
                        relay.line.put(message)
                case Shown() as shown:
                    self._showing.pass_on(call.peer, shown)
                case _:
                    raise MessageInvalid("a member may state, and tell its own progress")

    def _on_statement(self, member: str, signed: Signed, message: bytes) -> None:
        statement = read(signed, self._contract)
        if statement.speaker != member:
            raise NotAuthorised("relays another's statement", party=member)
        relay = self._relay_of(statement.session, member)
        if relay is None:
            return
        relay.line.put(message)
        relay.signed.append(signed)
        match statement:
            case Ruling(accepted=accepted):
                if relay.summing is not None:
                    relay.summing.rulings.append(signed)
                self._on_ruling(relay, member, accepted=accepted)
            case Failed(code=code, blamed=blamed, message=text, remedy=remedy):
                self._leave(relay, member, faults.to_error(code, blamed, text, remedy))
            case Finished(digest=digest):
                self._on_finished(relay, member, digest)

    def _on_ruling(self, relay: Relay, member: str, *, accepted: bool) -> None:
        relay.ruled.add(member)
        if not accepted:
            relay.refused.add(member)
        everybody = relay.ruled == set(relay.request.members)
        if relay.request.rehearsal is not None or not everybody:
            return
        if relay.refused:
            names = ", ".join(sorted(relay.refused))
            self._cancel(relay, PolicyDenied("the plan breaks the policy", party=names))
        else:  # so that nobody is charged, or uses an approval up, for what others refuse
            message = pack(Progress(relay.request.session, COORDINATOR, ACCEPTED))
            for name in relay.request.members:
                if name in self._attending:
                    self._attending[name].put(message)

    def _on_finished(self, relay: Relay, member: str, digest: str) -> None:
        if relay.summing is not None:
            try:
                relay.summing.state(member, digest)
            except PeerMisbehaved as fault:
                self._cancel(relay, fault)

    def _absent(self, member: str) -> None:
        """A member's process left: few sessions that need it can end well."""
        fault = PeerUnavailable("its process left the room", party=member)
        for relay in list(self._relays.values()):
            if member in relay.request.members:
                self._leave(relay, member, fault)

    def _leave(self, relay: Relay, member: str, fault: CleanroomError) -> None:
        """End a session that a member left, or its part in one that may go on without it."""
        if relay.leave(member, fault):
            relay.line.put(pack(Progress(relay.request.session, member, LEFT)))
        else:
            self._cancel(relay, fault)

    def _cancel(self, relay: Relay, fault: CleanroomError) -> None:
        """End a session at everyone; after the first time, nothing happens."""
        if relay.line.closed:
            return
        relay.fail(fault)
        message = pack(Cancel(relay.request.session, fault))
        for member in relay.request.members:
            if member in self._attending:
                self._attending[member].put(message)

    def _relay_of(self, session: str, member: str) -> Relay | None:
        relay = self._relays.get(session)
        return relay if relay is not None and member in relay.request.members else None


def _no_session() -> MessageInvalid:
    return MessageInvalid("no such session on ciphertexts here")
