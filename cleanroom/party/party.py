"""A member at work: takes requests, rules on them, plays sessions, and listens if it computes.

Rule: who may do what to which session is decided here, by the caller's certificate.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeAlias

import structlog

from cleanroom.audit.keeping import Keeping
from cleanroom.engine import Engine, Violation, participants
from cleanroom.errors import (
    CleanroomError,
    InternalError,
    NotAuthorised,
    PeerUnavailable,
    PlanMismatch,
)
from cleanroom.execution.contribute import Source
from cleanroom.identity.exchange import Exchange
from cleanroom.logs import where
from cleanroom.party.answering import Answering, ScoreRun
from cleanroom.party.approving import Approving
from cleanroom.party.attendance import Attendance
from cleanroom.party.judging import Judge
from cleanroom.party.outward import Outward
from cleanroom.party.profiling import ProfileRun, Profiling
from cleanroom.party.query_run import QueryRun
from cleanroom.party.reading import Reader
from cleanroom.party.roles import Roles
from cleanroom.party.serving import routes
from cleanroom.party.sessions import Sessions
from cleanroom.party.spending import Spending
from cleanroom.party.training import Learning, TrainRun
from cleanroom.party.weights import Weights
from cleanroom.plan.plan import Plan
from cleanroom.policy.check import Ruled
from cleanroom.policy.matter import Rows
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.session.member import Membership
from cleanroom.session.replays import Replays
from cleanroom.session.routes import ACCEPTED
from cleanroom.session.statements import (
    Committed,
    Failed,
    Request,
    RuledViolation,
    Ruling,
    Signed,
    Statement,
    read_request,
    session_of,
    sign,
)
from cleanroom.storage.state import State
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Cancel, Progress, Shown, pack, unpack
from cleanroom.transport.server import Server

Kind: TypeAlias = QueryRun | ScoreRun | TrainRun | ProfileRun
logger = structlog.get_logger()


class PartyProcess:
    """One member of one room, attending."""

    def __init__(
        self,
        member: Membership,
        engine: Engine,
        source: Source,
        state: State,
        models: Mapping[str, Weights] | None = None,
        policy: OwnPolicy | None = None,
        renewed: Callable[[], Sequence[Committed]] = tuple,
    ) -> None:
        """Stand ready to attend.

        Args:
            source: the member's rows.
            renewed: brings them up to date, and returns what the member commits to of them.
        """
        self._member = member
        self._engine = engine
        self._sessions = Sessions()
        self._replays = Replays(time.time())
        self._renewed = renewed
        self._keeping = Keeping(member, state, renewed())
        heard, ended = self._on_message, self._end_all
        self._attendance = Attendance(member, self._published, heard, ended)
        self.ready = self._attendance.ready
        out = Outward(member, self._report, self._stage, self._attended)
        self._reader = reader = Reader(source)
        terms, own = member.contract.terms, Own(member.name, policy or OwnPolicy())
        spending = Spending(member.name, terms, state)
        approving = Approving(own, state)
        self._judge = Judge(terms, engine.check, own, spending, approving, state)
        self._roles = Roles(out, engine, reader, spending)
        self._answering = Answering(out, models or {})
        self._profiling = Profiling(out, reader, own.policy)
        self._learning = Learning(out, reader, spending)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, listen: str | None = None) -> None:
        """Serve and attend until cancelled."""
        server = await self._serve(listen) if self._member.is_computing else None
        try:
            await self._attendance.forever()
        finally:
            await self._end_all(PeerUnavailable("is stopping", party=self._member.name))
            self._keeping.close()
            if server is not None:
                await server.stop()

    async def _serve(self, listen: str | None) -> Server:
        server = Server(self._member.tls, self._member.pins, routes(self._member, self._sessions))
        await server.start(listen or self._member.address(self._member.name))
        return server

    async def _end_all(self, fault: CleanroomError) -> None:
        self._sessions.fail_all(fault)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- towards the coordinator -----------------------------------------------------

    def _attended(self) -> Channel:
        return self._attendance.channel

    def _on_message(self, message: bytes) -> None:
        match unpack(message):
            case Signed() as signed:
                self._begin_task(self._on_request(signed))
            case Shown() as shown:
                if replies := self._keeping.hear(shown):
                    self._begin_task(self._answer(replies))
            case Cancel(session, fault):
                self._sessions.fail(session, fault)
            case Progress(session, stage=stage):
                if stage == ACCEPTED:
                    self._sessions.accept(session)

    def _published(self) -> bytes:
        return pack(self._keeping.publish())

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, replies: Sequence[Shown]) -> None:
        """Say what follows from a checkpoint that was heard."""
        for reply in replies:
            await self._attendance.send(pack(reply))

    async def _report(self, statement: Statement) -> None:
        noted = await self._keeping.note(statement)
        await self._attendance.send(pack(sign(self._member.identity, noted)))

    async def _stage(self, session: str, stage: str) -> None:
        await self._attendance.send(pack(Progress(session, self._member.name, stage)))

    # --- one session -----------------------------------------------------------------

    async def _on_request(self, signed: Signed) -> None:
        session_id = session_of(signed)
        try:
            await self._on_session(session_id, signed)
        finally:
            self._keeping.end(session_id)
        await self._attendance.send(self._published())

    async def _on_session(self, session_id: str, signed: Signed) -> None:
        log = logger.bind(member=self._member.name, session=session_id)
        try:
            request = read_request(signed, self._member.contract)
            self._replays.check(request)
            await self._keeping.admit(request)
            self._keeping.inputs = await self._reader.alone(self._renewed)
            run, asked = await self._begin(request)
            violations = await self._judge.rule(asked, request, signed)
            await self._rule(run, violations, asked.tables)
            if violations or request.rehearsal is not None:
                event = "refused" if violations else "rehearsed"
                log.info(event, plan_hash=request.plan_hash)
                return
        except CleanroomError as error:
            await self._failed(session_id, error)
            log.warning("refused", code=error.code)
            return
        except Exception as error:
            log.exception("request failed", where=where(error), exc_info=False)
            fault = InternalError(f"a fault in session {session_id}", party=self._member.name)
            await self._failed(session_id, fault)
            return
        await self._play(run, asked)

    async def _begin(self, request: Request) -> tuple[Kind, Ruled]:
        """Return what would run, and what is ruled on."""
        run: Kind
        asked: Ruled
        if request.scoring is not None:
            run = self._answering.begin(request, request.scoring)
            asked = Rows(run.plan, request.scoring.rows)
        elif request.profile is not None:
            run = self._profiling.begin(request, request.profile)
            asked = run.plan
        elif request.training is not None:
            run = await self._learning.begin(request, request.training)
            asked = run.plan
        else:
            asked = await asyncio.to_thread(self._compile, request)
            exchange = None if asked.ciphertexts is None else Exchange()
            run = QueryRun(self._member, request, asked, exchange)
        return run, asked

    def _compile(self, request: Request) -> Plan:
        """Compile the request for ourselves; the client's plan is never taken over.

        Raises:
            PlanMismatch: if the plan or its participants aren't those that were signed.
        """
        contract = self._member.contract
        plan = self._engine.compile(request.question, contract.terms, contract.hash)
        members = participants(plan, contract.terms)
        if plan.hash != request.plan_hash or members != request.members:
            raise PlanMismatch("compiled another plan than the client", party=self._member.name)
        if self._member.name not in members:
            raise NotAuthorised("has no part in this plan", party=self._member.name)
        return plan

    async def _rule(
        self, run: Kind, violations: Sequence[Violation], tables: tuple[str, ...]
    ) -> None:
        plays = not violations and run.request.rehearsal is None
        ruling = Ruling(
            session=run.id,
            contract_hash=run.request.contract_hash,
            plan_hash=run.request.plan_hash,
            party=self._member.name,
            accepted=not violations,
            violations=tuple(
                RuledViolation(
                    code=str(v.code),
                    party=v.party[:4000],
                    message=v.message[:4000],
                    remedy=v.remedy[:4000],
                    rule=v.rule[:500],
                )
                for v in violations[:1000]
            ),
            exchange=run.exchange.public if plays and run.exchange is not None else None,
            inputs=self._keeping.inputs_of(tables),
        )
        await self._report(ruling)

    async def _play(self, session: Kind, asked: Ruled) -> None:
        log = logger.bind(member=self._member.name, session=session.id)
        await self._sessions.add(session)
        try:
            fault = await session.run(lambda run: self._played(run, asked))
        finally:
            self._sessions.remove(session)
        if fault is None:
            log.info("finished")
            return
        if session.unexpected:
            log.error("session failed", where=session.unexpected)
        log.warning("failed", code=fault.code, party=fault.party)
        await self._failed(session.id, fault)

    async def _played(self, session: Kind, asked: Ruled) -> None:
        await self._judge.begin(session, asked)
        match session:
            case ScoreRun():
                await self._answering.play(session)
            case TrainRun():
                await self._learning.play(session)
            case ProfileRun():
                await self._profiling.play(session)
            case QueryRun():
                await self._roles.play(session)

    async def _failed(self, session: str, fault: CleanroomError) -> None:
        failure = Failed(
            session=session,
            party=self._member.name,
            code=fault.code,
            blamed=fault.party[:200],
            message=fault.message[:4000],
            remedy=fault.remedy[:4000],
        )
        await self._attendance.send(pack(sign(self._member.identity, failure)))
        await self._keeping.fail(failure)
