"""One query as its recipient conducts it: ask, watch the members, collect, put together."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from typing import Protocol as Interface

from cleanroom.contract.document import COORDINATOR
from cleanroom.engine import Engine, Numbers
from cleanroom.errors import CleanroomError, DeadlineExceeded, MessageInvalid, PeerUnavailable
from cleanroom.execution.outcome import Opened
from cleanroom.identity.exchange import Exchange
from cleanroom.plan.plan import Plan
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.training import TrainPlan
from cleanroom.plan.withheld import NOTHING, withheld_of
from cleanroom.recipient.answers import Answer, Stats, TrainedModel, answer_of, stats_of
from cleanroom.recipient.collecting import Collecting
from cleanroom.recipient.heard import Heard, statement_of
from cleanroom.recipient.privacy import finished, privacy_of
from cleanroom.recipient.rehearsing import ANSWER_S, MemberRuling, rehearse
from cleanroom.recipient.requests import About, request_for
from cleanroom.session.about import Encryption, Scoring, Training
from cleanroom.session.member import Membership
from cleanroom.session.receipt import Receipt
from cleanroom.session.routes import LEFT, STATUS, SUBMIT
from cleanroom.session.statements import Request, Signed, sign
from cleanroom.tasks import together
from cleanroom.transport import envelopes
from cleanroom.transport.call import Call
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import pack, unpack, unpack_online

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cleanroom.execution.profile import Told
    from cleanroom.recipient.course import Course
    from cleanroom.recipient.privacy import Errors
    from cleanroom.recipient.stored import Kept

    Columns: TypeAlias = Mapping[str, NDArray[Any]]

T = TypeVar("T")
M = TypeVar("M")
Progress: TypeAlias = Callable[[str, str], None]
GRACE_S = 10  # beyond the deadline, so that the members' own reports come first


class Opens(Interface):
    """How a session's outcome reaches its recipient."""

    @property
    def encryption(self) -> Encryption | None:
        """Return what the request says of the key under which owners encrypt."""
        ...

    async def opened(self, session: Heard, channel: Channel, /) -> Opened:
        """Wait for the members' parts and put them together.

        Args:
            channel: to the coordinator.
        """
        ...


class Asker:
    """Conducts queries of one recipient."""

    def __init__(
        self, member: Membership, engine: Engine, keep: Callable[[Heard], None] | None = None
    ) -> None:
        self._member = member
        self._engine = engine
        self._keep = keep

    async def online(self) -> tuple[str, ...]:
        """Return who attends the room."""
        async with self._member.dial(COORDINATOR) as channel:
            call = channel.open(STATUS, timeout_s=10)
            return unpack_online(await call.receive())

    async def rehearse(self, plan: Plan | ScorePlan | TrainPlan) -> list[MemberRuling]:
        """Have every member rule on a plan that isn't run; on a scoring of one row.

        Raises:
            CleanroomError: if nobody could be asked.
        """
        about: About = {"rehearsal": plan.protocol if isinstance(plan, Plan) else "he"}
        if isinstance(plan, TrainPlan):
            exchange = Exchange().public
            about["training"] = Training(exchange=exchange, least=plan.least)
        elif isinstance(plan, ScorePlan):
            exchange = Exchange().public
            about["scoring"] = Scoring(
                model=plan.model, table=plan.table, rows=1, exchange=exchange
            )
        request = request_for(self._member, plan, ANSWER_S, about)
        async with self._member.dial(COORDINATOR) as channel:
            return await rehearse(self._member, channel, request)

    async def ask(
        self, plan: Plan, deadline_s: int, progress: Progress, weights: Numbers | None = None
    ) -> Answer:
        """Run one plan in the room.

        Args:
            weights: what private parameters stand for, if the plan has some: of each value.

        Raises:
            CleanroomError: the first reason why it can't be answered.
        """
        started = time.monotonic()
        async with self._member.dial(COORDINATOR) as channel:
            channel.connect()
            opens = await asyncio.to_thread(self._opens, plan, weights)
            terms = self._member.contract.terms
            encryption = opens.encryption
            request = request_for(self._member, plan, deadline_s, {"encryption": encryption})
            owners = {leaf.member for leaf in plan.leaves}
            parts = len(owners) + len(terms.computing if encryption is None else ())
            opened, session = await self._conduct(channel, request, parts, opens.opened, progress)
        table, errors = await asyncio.to_thread(self._finished, plan, opened.columns)
        gated = plan.gate is not None
        withheld = NOTHING if gated else withheld_of(plan, opened.suppressed, opened.columns)
        return replace(
            answer_of(table, withheld, session, started),
            without=plan.without,
            more=gated and opened.suppressed > 0,
            privacy=privacy_of(plan, terms),
            standard_errors=errors,
            columns=opened.columns,
        )

    def _finished(
        self, plan: Plan, columns: "Columns"
    ) -> "tuple[pa.Table, Mapping[str, Errors]]":
        return finished(plan, lambda one: self._engine.finish(one, columns))

    def again(self, plan: Plan, kept: "Kept") -> Answer:
        """Return what a plan's question gave before, as this plan shows it; nobody is asked."""
        started, terms = time.monotonic(), self._member.contract.terms
        table, errors = self._finished(plan, kept.columns)
        return Answer(
            table,
            NOTHING,
            kept.receipt,
            Stats(time.monotonic() - started, 0, 0, table.num_rows),
            without=plan.without,
            privacy=privacy_of(plan, terms),
            standard_errors=errors,
            columns=kept.columns,
            stored=kept.when,
        )

    async def score(
        self, plan: ScorePlan, rows: "Columns", deadline_s: int, progress: Progress
    ) -> Answer:
        """Have rows scored: what the plan's `read_sql` gave.

        Raises:
            CleanroomError: the first reason why they can't be.
        """
        from cleanroom.recipient.scores import Scores

        started = time.monotonic()
        async with self._member.dial(COORDINATOR) as channel:
            channel.connect()
            scores = await asyncio.to_thread(Scores, self._member, plan, rows)
            request = request_for(self._member, plan, deadline_s, {"scoring": scores.scoring})
            table, session = await self._conduct(channel, request, 1, scores.opened, progress)
        answer = answer_of(table, NOTHING, session, started)
        sent = answer.stats.bytes_sent + scores.bytes_sent
        return replace(answer, stats=replace(answer.stats, bytes_sent=sent))

    async def profile(
        self, plan: ProfilePlan, deadline_s: int, progress: Progress
    ) -> "tuple[dict[str, Told], Receipt]":
        """Have each owner of a table tell what the contract lets it tell of its rows.

        Raises:
            CleanroomError: the first reason why they don't.
        """
        from cleanroom.recipient.profiling import Listening

        listening = Listening(plan)
        request = request_for(self._member, plan, deadline_s, {"profile": listening.profile})
        async with self._member.dial(COORDINATOR) as channel:
            parts, opened = len(plan.owners), listening.opened
            told, session = await self._conduct(channel, request, parts, opened, progress)
        return told, Receipt(tuple(session.signed))

    async def train(
        self,
        plan: TrainPlan,
        course: "Course[M]",
        deadline_s: int,
        progress: Progress,
    ) -> "TrainedModel[M]":
        """Have a training's steps answered by all owners, to its end.

        Raises:
            CleanroomError: the first reason why there is no model.
        """
        from cleanroom.recipient.training import Conducting

        started = time.monotonic()
        conducting = Conducting(self._member, plan, course)
        request = request_for(self._member, plan, deadline_s, {"training": conducting.asked})
        parts = len(plan.owners)
        async with self._member.dial(COORDINATOR) as channel:
            made = conducting.opened
            model, session = await self._conduct(channel, request, parts, made, progress)
        stats = stats_of(session, 0, time.monotonic() - started)
        stats = replace(stats, bytes_sent=stats.bytes_sent + conducting.bytes_sent)
        receipt = Receipt(tuple(session.signed))
        return TrainedModel(model, receipt, stats, tuple(sorted(session.left)))

    async def _conduct(
        self,
        channel: Channel,
        request: Request,
        parts: int,
        opened: Callable[[Heard, Channel], Coroutine[Any, Any, T]],
        progress: Progress,
    ) -> tuple[T, Heard]:
        """Submit a request and watch its members until the outcome is open.

        Args:
            parts: how many reports of finished parts there will be.
        """
        session = Heard(request, parts, [sign(self._member.identity, request)])
        call = channel.open(SUBMIT)
        await call.send(pack(session.signed[0]))
        try:
            async with asyncio.timeout(request.deadline_s + GRACE_S):
                outcome, _ = await together(
                    self._open(call, opened(session, channel)),
                    self._watch(call, session, progress),
                )
        except TimeoutError:
            raise DeadlineExceeded(f"no result in {request.deadline_s} s") from None
        if self._keep is not None:
            await asyncio.to_thread(self._keep, session)
        return outcome, session

    def _opens(self, plan: Plan, weights: Numbers | None) -> Opens:
        """Make what the outcome is opened with: on ciphertexts a key, which takes a moment."""
        if plan.ciphertexts is None:
            return Collecting(self._member, self._engine, plan)
        from cleanroom.recipient.decrypting import Decrypting, Holder, Totals
        from cleanroom.recipient.questioning import Questioning

        holder: Holder
        if plan.ciphertexts.private is None:
            holder = Totals(plan.ciphertexts)
        elif weights is None:
            raise ValueError("private parameters without values")
        else:
            holder = Questioning(plan.ciphertexts, weights)
        return Decrypting(self._engine, plan, holder)

    async def _open(self, call: Outgoing, opening: Coroutine[Any, Any, T]) -> T:
        """Open the outcome, and release the members."""
        prepared = asyncio.to_thread(self._engine.prepare)
        outcome: T = (await together(opening, prepared))[0]
        await call.last()
        return outcome

    async def _watch(self, call: Call, session: Heard, progress: Progress) -> None:
        """Note what members state, until the coordinator ends the call."""
        contract = self._member.contract
        while (message := await _next(call, session)) is not None:
            session.begun.set()
            match unpack(message):
                case Signed() as signed:
                    session.add(signed, statement_of(signed, session.request, contract))
                case envelopes.Progress(member=member, stage=stage):
                    if stage == LEFT and session.request.training is not None:
                        session.leave(member)
                    progress(stage, member)
                case _:
                    raise MessageInvalid("unexpected message", party=COORDINATOR)
        if not session.done.is_set():
            raise PeerUnavailable("ended the session early", party=COORDINATOR)


async def _next(call: Call, session: Heard) -> bytes | None:
    """Return the next message; after a refusal, raise it if no more rulings come in time."""
    if session.ends_at is None:
        return await call.receive()
    try:
        async with asyncio.timeout(session.ends_at - time.monotonic()):
            return await call.receive()
    except (TimeoutError, CleanroomError):
        session.check_accepted()
        raise
