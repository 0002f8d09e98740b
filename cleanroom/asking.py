"""One query as its recipient conducts it: ask, watch the members, collect, put together."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from cleanroom.contract.document import COORDINATOR
from cleanroom.coordinator import STATUS, SUBMIT
from cleanroom.engine import Engine, participants
from cleanroom.errors import (
    DeadlineExceeded,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PolicyDenied,
)
from cleanroom.execution.outcome import Outcome
from cleanroom.member import Membership
from cleanroom.plan.plan import Plan
from cleanroom.receipt import Receipt
from cleanroom.roles import COLLECT, outcome_bytes
from cleanroom.statements import (
    Failed,
    Finished,
    Request,
    RuledViolation,
    Ruling,
    Signed,
    Statement,
    new_session,
    read,
    sign,
)
from cleanroom.tasks import together
from cleanroom.transport import envelopes, faults
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Outgoing
from cleanroom.transport.envelopes import Opening, OutcomeHeader, pack, unpack, unpack_online
from cleanroom.transport.frames import MAX_WORDS
from cleanroom.transport.grpc_link import receive_vector

if TYPE_CHECKING:
    import pyarrow as pa

Progress: TypeAlias = Callable[[str, str], None]
GRACE_S = 10  # beyond the deadline, so that the members' own reports come first


@dataclass(frozen=True, slots=True)
class Stats:
    """What a query took.

    Attributes:
        seconds: from asking to the result.
        rounds: of one computing member.
        bytes_sent: by all members, payload.
        rows: of the result.
    """

    seconds: float
    rounds: int
    bytes_sent: int
    rows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a query gave."""

    table: "pa.Table"
    suppressed: int
    receipt: Receipt
    stats: Stats


@dataclass
class _Session:
    """What the members stated so far."""

    request: Request
    expected: int
    signed: list[Signed]
    rulings: dict[str, Ruling] = field(default_factory=dict)
    finished: dict[tuple[str, str], Finished] = field(default_factory=dict)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, signed: Signed, statement: Statement) -> None:
        """Note a statement.

        Raises:
            CleanroomError: what a member failed with, or every violation once all have ruled.
        """
        self.signed.append(signed)
        match statement:
            case Ruling(party=party):
                self._check_subject(statement)
                self.rulings[party] = statement
                if self.rulings.keys() == set(self.request.members):
                    _check_accepted(self.rulings)
                    self.accepted.set()
            case Finished(party=party, role=role):
                self._check_subject(statement)
                self.finished[party, role] = statement
                if len(self.finished) == self.expected:
                    self.done.set()
            case Failed(code=code, blamed=blamed, message=message, remedy=remedy):
                raise faults.to_error(code, blamed, message, remedy)
            case Request():
                raise MessageInvalid("a member answered with a request")

    def _check_subject(self, statement: Ruling | Finished) -> None:
        asked = self.request
        if (statement.session, statement.contract_hash, statement.plan_hash) != (
            asked.session,
            asked.contract_hash,
            asked.plan_hash,
        ):
            raise PeerMisbehaved("answered another request", party=statement.party)


class Asker:
    """Conducts queries of one recipient."""

    def __init__(self, member: Membership, engine: Engine) -> None:
        self._member = member
        self._engine = engine

    async def online(self) -> tuple[str, ...]:
        """Return who attends the room."""
        async with self._member.dial(COORDINATOR) as channel:
            call = channel.open(STATUS, timeout_s=10)
            return unpack_online(await call.receive())

    async def ask(self, plan: Plan, deadline_s: int, progress: Progress) -> Answer:
        """Run one plan in the room.

        Raises:
            CleanroomError: the first reason why it can't be answered.
        """
        started = time.monotonic()
        session = self._begin(plan, deadline_s)
        async with self._member.dial(COORDINATOR) as channel:
            call = channel.open(SUBMIT)
            await call.send(pack(session.signed[0]))
            try:
                async with asyncio.timeout(deadline_s + GRACE_S):
                    outcomes, _ = await together(
                        self._collect_all(call, session), self._watch(call, session, progress)
                    )
            except TimeoutError:
                raise DeadlineExceeded(f"no result in {deadline_s} s") from None
        opened = await asyncio.to_thread(self._engine.reconstruct, plan, outcomes)
        table = await asyncio.to_thread(self._engine.finish, plan, opened.columns)
        stats = _stats(session, table.num_rows, time.monotonic() - started)
        return Answer(table, opened.suppressed, Receipt(tuple(session.signed)), stats)

    def _begin(self, plan: Plan, deadline_s: int) -> _Session:
        terms = self._member.contract.terms
        members = participants(plan, terms)
        request = Request(
            session=new_session(),
            contract_hash=self._member.contract.hash,
            recipient=self._member.name,
            sql=plan.sql,
            plan_hash=plan.hash,
            members=members,
            issued_at=int(time.time()),
            deadline_s=deadline_s,
        )
        owners = {leaf.member for leaf in plan.leaves}
        signed = sign(self._member.identity, request)
        return _Session(request, len(owners) + len(terms.computing), [signed])

    async def _watch(self, call: Call, session: _Session, progress: Progress) -> None:
        """Note what members state, until the coordinator ends the call."""
        while (message := await call.receive()) is not None:
            match unpack(message):
                case Signed() as signed:
                    session.add(signed, self._read(signed, session))
                case envelopes.Progress(member=member, stage=stage):
                    progress(stage, member)
                case _:
                    raise MessageInvalid("unexpected message", party=COORDINATOR)
        if not session.done.is_set():
            raise PeerUnavailable("ended the session early", party=COORDINATOR)

    def _read(self, signed: Signed, session: _Session) -> Statement:
        statement = read(signed, self._member.contract)
        if statement.session != session.request.session:
            raise MessageInvalid("a statement about another session", party=signed.signer)
        if signed.signer not in session.request.members:
            raise NotAuthorised("has no part in this session", party=signed.signer)
        return statement

    async def _collect_all(
        self, call: Outgoing, session: _Session
    ) -> tuple[Outcome, Outcome, Outcome]:
        """Take the outcome from all three, and release the members."""
        await session.accepted.wait()
        ranks = self._member.contract.terms.computing
        first, second, third = await together(*(self._collect(p, session) for p in ranks))
        await session.done.wait()
        for rank, outcome in zip(ranks, (first, second, third), strict=True):
            digest = hashlib.sha256(outcome_bytes(outcome)).hexdigest()
            if session.finished[rank, "computing"].digest != digest:
                raise PeerMisbehaved("signed another outcome than it sent", party=rank)
        await call.last()
        return first, second, third

    async def _collect(self, peer: str, session: _Session) -> Outcome:
        async with self._member.dial(peer) as channel:
            call = channel.open(COLLECT)
            await call.send(Opening(session.request.session, session.request.plan_hash).to_bytes())
            header = OutcomeHeader.of(await call.receive())
            if header.n_words > MAX_WORDS or header.n > header.n_words:
                raise MessageInvalid("an outcome is larger than allowed", party=peer)
            words = await receive_vector(call, "outcome", header.n_words)
            await call.finish()
            return Outcome(header.n, words)


def _check_accepted(rulings: dict[str, Ruling]) -> None:
    """Raise one error with every violation that any member found, each once."""
    found: dict[RuledViolation, None] = {}
    for ruling in rulings.values():
        found.update(dict.fromkeys(ruling.violations))
    refused = [name for name, ruling in rulings.items() if not ruling.accepted]
    if not refused:
        return
    lines = [f"{v.party}: {v.message}" for v in found] or ["no reason was given"]
    remedies = dict.fromkeys(v.remedy for v in found if v.remedy)
    raise PolicyDenied("; ".join(lines), party=", ".join(refused), remedy=" ".join(remedies))


def _stats(session: _Session, rows: int, seconds: float) -> Stats:
    finished = session.finished.values()
    return Stats(
        seconds=seconds,
        rounds=max(f.rounds for f in finished),
        bytes_sent=sum(f.bytes_sent for f in finished),
        rows=rows,
    )
