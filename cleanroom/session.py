"""One run of one plan at one member, from an accepted request to its share of the outcome.

Rule: what a session holds (contributions, mailbox, outcome) lives here and dies with it, however
it ends. Whose call may touch it is decided in `party`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cleanroom.engine import participants
from cleanroom.errors import (
    CleanroomError,
    DeadlineExceeded,
    InternalError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    SessionCancelled,
)
from cleanroom.execution.contribute import Contribution, padded_rows
from cleanroom.execution.outcome import Outcome
from cleanroom.identity.exchange import Exchange
from cleanroom.logs import where
from cleanroom.member import Membership
from cleanroom.plan.nodes import Leaf
from cleanroom.plan.plan import Plan
from cleanroom.statements import Request
from cleanroom.transport.mailbox import Mailbox
from protocols import rounds
from protocols.rep3.share import words_for

GRACE_S = 1.0  # how long a broken stream waits for a better reason from the coordinator


@dataclass
class Session:
    """A session's state; `run` owns the task that plays it.

    Attributes:
        exchange: this member's key of the session, if it runs on ciphertexts.
    """

    member: Membership
    request: Request
    plan: Plan
    exchange: Exchange | None = None
    mailbox: Mailbox = field(default_factory=Mailbox)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.started = time.monotonic()
        self.fault: CleanroomError | None = None
        self.unexpected: tuple[str, ...] = ()  # where, for this member's own log
        self.streaming: set[str] = set()  # computing peers whose rounds come in
        self._taken: set[int] = set()
        self._contributions: dict[int, asyncio.Future[Contribution]] = {
            leaf: loop.create_future() for leaf in range(len(self.plan.leaves))
        }
        self._outcome: asyncio.Future[Outcome] = loop.create_future()
        self._collector = False
        self._collected = asyncio.Event()
        self._told: asyncio.Future[CleanroomError] = loop.create_future()
        self._task: asyncio.Task[None] | None = None
        self._losses: set[asyncio.Task[None]] = set()

    @property
    def id(self) -> str:
        return self.request.session

    @property
    def ranks(self) -> tuple[str, ...]:
        """The computing members, P0 first."""
        return self.member.contract.terms.computing

    @property
    def members(self) -> tuple[str, ...]:
        return participants(self.plan, self.member.contract.terms)

    # --- contributions ---------------------------------------------------------------

    def admit(self, sender: str, leaf: int, n: int, n_words: int) -> None:
        """Let an owner's share come in, before a word of it is read.

        Raises:
            NotAuthorised: if the leaf isn't the sender's.
            MessageInvalid: if it came before, or is larger than the plan allows.
        """
        if leaf >= len(self.plan.leaves) or self.plan.leaves[leaf].member != sender:
            raise NotAuthorised("contributes to a leaf that isn't its own", party=sender)
        if leaf in self._taken:
            raise MessageInvalid(f"leaf {leaf} was contributed before", party=sender)
        if n_words > _most_words(self.plan.leaves[leaf], n):
            raise MessageInvalid(f"leaf {leaf} is larger than the plan allows", party=sender)
        self._taken.add(leaf)

    def contribute(self, contribution: Contribution) -> None:
        """Store an admitted share."""
        waiting = self._contributions[contribution.leaf]
        if not waiting.done():
            waiting.set_result(contribution)

    async def contributions(self) -> dict[int, Contribution]:
        """Wait for all owners' shares, and hand them over."""
        got = {leaf: await waiting for leaf, waiting in self._contributions.items()}
        self._contributions.clear()
        return got

    # --- outcome ---------------------------------------------------------------------

    def finish(self, outcome: Outcome) -> None:
        """Offer the outcome to the recipient."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def collect(self, caller: str) -> Outcome:
        """Return the outcome once, to the recipient, as soon as it is there.

        Raises:
            NotAuthorised: if the caller is another member, or it was collected before.
            CleanroomError: why the session failed.
        """
        if caller != self.request.recipient:
            raise NotAuthorised("is not the recipient of this session", party=caller)
        if self._collector:
            raise NotAuthorised("the outcome was collected before", party=caller)
        self._collector = True
        return await asyncio.shield(self._outcome)

    def collected(self) -> None:
        """Note that the recipient has it all."""
        self._collected.set()

    async def until_collected(self) -> None:
        """Wait until the recipient has it all."""
        await self._collected.wait()

    # --- life ------------------------------------------------------------------------

    async def run(self, play: Callable[["Session"], Awaitable[None]]) -> CleanroomError | None:
        """Play the session to its end or its deadline; return why it failed, if it did."""
        self._task = asyncio.ensure_future(self._timed(play))
        try:
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})
            fault = self.fault or await self._reason(self._task)
            self._task = None
            self._release(fault)
        return fault

    def fail(self, fault: CleanroomError) -> None:
        """End the session for a reason that is known, unless it is done already."""
        if self._collected.is_set():
            return
        if not self._told.done():
            self._told.set_result(fault)
        if self.fault is None:
            self.fault = fault
            if self._task is not None:
                self._task.cancel()

    async def until_failed(self) -> NoReturn:
        """Wait for the session to fail, and raise why: a call that serves it then ends too."""
        raise (await asyncio.shield(self._told)).again()

    def lost(self, peer: str) -> None:
        """A peer's stream broke: blame it, unless the real reason is known within a moment."""
        if self.fault is None:
            suspected = PeerUnavailable("the connection broke", party=peer)
            self._losses.add(asyncio.ensure_future(self._settle(suspected)))

    async def _settle(self, suspected: CleanroomError) -> None:
        await asyncio.wait({self._told}, timeout=GRACE_S)
        self.fail(suspected)

    async def _timed(self, play: Callable[["Session"], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self.request.deadline_s):
                try:
                    await play(self)
                except PeerUnavailable as error:
                    await self._settle(error)
        except TimeoutError:
            raise DeadlineExceeded(f"not done in {self.request.deadline_s} s") from None

    async def _reason(self, task: "asyncio.Task[None]") -> CleanroomError | None:
        if task.cancelled():
            return SessionCancelled("this member is stopping", party=self.member.name)
        match task.exception():
            case None:
                return None
            case CleanroomError() as error:
                return error.again()
            case rounds.PeerMisbehaved(suspects=suspects, gate=gate):
                names = " or ".join(self.ranks[party] for party in sorted(suspects))
                return PeerMisbehaved(f"what it sent at {gate} is not the protocol", party=names)
            case error:
                self.unexpected = where(error)
                return InternalError(f"a fault in session {self.id}", party=self.member.name)

    def _release(self, fault: CleanroomError | None) -> None:
        """Tell whoever still waits, and let go of every share."""
        if fault is not None and not self._told.done():
            self._told.set_result(fault)
        self.fault = end = fault or SessionCancelled("the session is over")
        self.mailbox.fail(end)
        for loss in self._losses:
            loss.cancel()
        unmet: list[asyncio.Future[Any]] = [*self._contributions.values(), self._outcome]
        for waiting in unmet:
            if not waiting.done():
                waiting.set_exception(end.again())
                waiting.exception()
        self._contributions.clear()
        self._outcome = asyncio.get_running_loop().create_future()
        self._outcome.set_exception(end.again())
        self._outcome.exception()


def _most_words(leaf: Leaf, n: int) -> int:
    """Return what one member's share of a leaf of n rows can take at most, in words."""
    if n > padded_rows(leaf.max_rows):
        return 0
    planes = 1 + sum(column.bits + column.nullable for column in leaf.bits)
    return 2 * (planes * words_for(n) + len(leaf.sums) * n) + 64
