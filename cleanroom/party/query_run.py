"""One run of one plan at one member, from an accepted request to its share of the outcome.

Rule: what a session holds (contributions, mailbox, outcome) lives here and dies with it, however
it ends. Whose call may touch it is decided in `party`.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from cleanroom.engine import participants
from cleanroom.errors import CleanroomError, MessageInvalid, NotAuthorised, SessionCancelled
from cleanroom.execution.contribute import Contribution, padded_rows
from cleanroom.execution.outcome import Outcome
from cleanroom.identity.exchange import Exchange
from cleanroom.party.run import Run
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.plan import Plan
from cleanroom.transport.mailbox import Mailbox
from protocols.rep3.share import words_for


@dataclass
class QueryRun(Run):
    """A query's state at a member.

    Attributes:
        exchange: this member's key of the session, if it runs on ciphertexts.
    """

    plan: Plan
    exchange: Exchange | None = None
    mailbox: Mailbox = field(default_factory=Mailbox)

    def __post_init__(self) -> None:
        super().__post_init__()
        loop = asyncio.get_running_loop()
        self.streaming: set[str] = set()  # computing peers whose rounds come in
        self._taken: set[int] = set()
        self._contributions: dict[int, asyncio.Future[Contribution]] = {
            leaf: loop.create_future() for leaf in range(len(self.plan.leaves))
        }
        self._outcome: asyncio.Future[Outcome] = loop.create_future()
        self._collector = False
        self._collected = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._collected.is_set()

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

    def _release(self, fault: CleanroomError | None) -> None:
        """Tell whoever still waits, and let go of every share."""
        super()._release(fault)
        end = fault or SessionCancelled("the session is over")
        self.mailbox.fail(end)
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
