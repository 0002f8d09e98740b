"""What a process writes into its log in sessions, and whether the others' logs allow one.

Rule: written before it is said. A member that can't write takes part in nothing, and neither does
one whose own log others know to be longer.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

import structlog

from cleanroom.audit import entries
from cleanroom.audit.log import Head
from cleanroom.audit.record import Kind, Record
from cleanroom.audit.witness import Witness
from cleanroom.contract.document import COORDINATOR
from cleanroom.errors import CleanroomError, MessageInvalid, NotAuthorised, StateUnavailable
from cleanroom.session.member import Membership
from cleanroom.session.statements import (
    Committed,
    Failed,
    Finished,
    Request,
    Ruling,
    Signed,
    Statement,
)
from cleanroom.storage.state import State
from cleanroom.transport.envelopes import Shown

SETTLE_S = 5.0  # how long another member has to prove that its log goes on
logger = structlog.get_logger()


class Keeping:
    """One process's log, and its view of the others'."""

    def __init__(self, member: Membership, state: State, inputs: Sequence[Committed] = ()) -> None:
        self._member, self._contract = member.name, member.contract.hash
        self._purposes = frozenset(member.contract.terms.room.purposes)
        self._witness = Witness(member, state, inputs)
        self._witness.add(Record.now(Kind.STARTED, contract_hash=self._contract))
        self._requests: dict[str, tuple[Request, Record | None]] = {}  # and what isn't logged yet
        self._heard = asyncio.Event()

    @property
    def inputs(self) -> Sequence[Committed]:
        """What this member commits its tables' rows to."""
        return self._witness.inputs

    @inputs.setter
    def inputs(self, inputs: Sequence[Committed]) -> None:
        self._witness.inputs = tuple(inputs)

    # --- checkpoints -----------------------------------------------------------------

    def publish(self) -> Shown:
        """Return this member's newest checkpoint, for everybody."""
        return self._witness.publish()

    def current(self) -> Shown:
        """Return this member's newest checkpoint, without a proof."""
        return self._witness.current()

    def inputs_of(self, tables: Collection[str]) -> tuple[Committed, ...]:
        """Return what this member committed its rows of these tables to."""
        return tuple(one for one in self._witness.inputs if one.table in tables)

    def held_of(self, party: str) -> Signed | None:
        """Return the newest checkpoint that is held of a member."""
        return self._witness.held_of(party)

    def hear(self, shown: Shown) -> list[Shown]:
        """Take notice of somebody's checkpoint; return what to answer."""
        try:
            replies = self._witness.hear(shown)
        except (MessageInvalid, NotAuthorised) as error:
            logger.warning("no checkpoint", code=error.code, message=error.message)
            return []
        self._heard.set()
        self._heard = asyncio.Event()
        return replies

    def close(self) -> None:
        """Write down what others are held to."""
        self._witness.add()

    # --- sessions --------------------------------------------------------------------

    async def begin(self, request: Request) -> None:
        """Log a request that this process passes on, and return if all logs allow its session.

        Raises:
            LogDiverged, PeerUnavailable, RowsChanged, StateUnavailable: as `admit`.
        """
        await self._add(entries.requested(self._loggable(request)))
        await self._settle(request)

    async def admit(self, request: Request) -> None:
        """Return if all logs allow a session; the request is logged with the ruling on it.

        Raises:
            LogDiverged, RowsChanged: naming whose doesn't.
            PeerUnavailable: naming who was asked for a proof and hasn't answered in time.
        """
        request = self._loggable(request)
        self._requests[request.session] = request, entries.requested(request)
        await self._settle(request)

    def _loggable(self, request: Request) -> Request:
        """Return a request without what its recipient may have made up."""
        known = request.purpose in self._purposes
        return request if known else request.model_copy(update={"purpose": ""})

    async def _settle(self, request: Request) -> None:
        others = {*request.members, COORDINATOR} - {self._member}
        with suppress(TimeoutError):  # then the check names who is silent
            async with asyncio.timeout(SETTLE_S):
                while self._witness.unsettled(others):
                    await self._heard.wait()
        self._witness.check(sorted(others))

    async def note(self, statement: Statement) -> Statement:
        """Log a statement before it is sent; return it as it is to be sent.

        Raises:
            StateUnavailable: if it can't be logged.
        """
        request, before = self._requests.get(statement.session, (None, None))
        match statement:
            case Ruling() if request is not None and before is not None:
                head = await self._add(before, entries.ruled(request, statement))
                self._requests[statement.session] = request, None
                logged = {"log_size": head.size, "log_root": head.root.hex()}
                return statement.model_copy(update=logged)
            case Finished() if request is not None:
                await self._add(entries.finished(request, statement))
        return statement

    async def fail(self, failure: Failed) -> None:
        """Log why a session can't go on, once that has been told; if it can't be logged, it is so.

        Others wait for the reason, and nothing is released by it.
        """
        request, before = self._requests.get(failure.session, (None, None))
        records = [before] if before is not None else []
        try:
            await self._add(*records, entries.failed(failure, request))
        except StateUnavailable as error:
            logger.error("not logged", session=failure.session, code=error.code)

    async def conclude(self, request: Request, digest: str, code: str) -> None:
        """Log how a session ended that this process conducted.

        Args:
            digest: of its receipt. code: of the fault that ended it; empty if none did.
        """
        await self._add(entries.concluded(self._loggable(request), digest, code))

    def end(self, session: str) -> None:
        """Forget a session."""
        self._requests.pop(session, None)

    async def _add(self, *records: Record) -> Head:
        """Write on a thread: the disk may take its time."""
        try:
            return await asyncio.to_thread(self._witness.add, *records)
        except CleanroomError as error:
            error.party = error.party or self._member
            raise
