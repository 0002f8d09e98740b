"""What a member's part in any session shares: how it tells others, talks to the recipient, ends.

Rule: nothing of one kind of session. What a member does in it is its own kind's to say.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from cleanroom.party.run import Run
from cleanroom.session.member import Membership
from cleanroom.session.routes import CONVERSE
from cleanroom.session.statements import Finished, PartRole, Statement
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import Opening

Report: TypeAlias = Callable[[Statement], Awaitable[None]]
Stage: TypeAlias = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outward:
    """A member's ways out of its process.

    Attributes:
        report: sends a signed statement about a session.
        stage: tells whoever waits how far a session is: session id, stage.
        attended: returns the channel on which this member attends.
    """

    member: Membership
    report: Report
    stage: Stage
    attended: Callable[[], Channel]

    @asynccontextmanager
    async def conversing(self, run: Run) -> AsyncIterator[Outgoing]:
        """Hold a call through which the session's recipient is talked to; end it in order."""
        call = self.attended().open(CONVERSE)
        try:
            await call.send(Opening(run.id, run.request.plan_hash).to_bytes())
            yield call
            await call.last()
            await call.finish()
        finally:
            call.cancel()  # nothing, once it has ended

    async def finished(
        self,
        run: Run,
        role: PartRole,
        digest: str,
        *,
        started: float,
        rows: int = 0,
        rounds: int = 0,
        bytes_sent: int = 0,
    ) -> None:
        """State that this member's part is done.

        Args:
            digest: of what it sent, in hexadecimal; started: on the monotonic clock.
        """
        await self.report(
            Finished(
                session=run.id,
                contract_hash=run.request.contract_hash,
                plan_hash=run.request.plan_hash,
                party=self.member.name,
                role=role,
                digest=digest,
                rows=rows,
                rounds=rounds,
                bytes_sent=bytes_sent,
                milliseconds=round(1000 * (time.monotonic() - started)),
            )
        )
