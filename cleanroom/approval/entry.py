"""One plan that a person decides on, as a member keeps it."""

import base64
import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cleanroom.contract.fields import Hash, Name
from cleanroom.session.statements import Request, Signed


class State(StrEnum):
    """How a plan stands with a member's person."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"  # approved, and asked as often as that allowed, or until then


class Entry(BaseModel):
    """A plan, the signed request that first asked for it, and what was decided.

    Attributes:
        payload, signature: of the request, as its recipient signed it; a signature is in base64.
        asked_at: seconds since 1970.
        approved: None until somebody has decided.
        times: how often it may still run; None without limit.
        until: the last day (UTC) on which it may; None without limit.
        reason: why it was denied.
        tables: of the contract, which the plan reads; an entry goes when one is erased.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan_hash: Hash
    recipient: Name
    purpose: str
    what: str
    asked_at: int
    payload: str
    signature: str
    approved: bool | None = None
    times: Annotated[int, Field(ge=0)] | None = None
    until: dt.date | None = None
    reason: str = ""
    tables: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, request: Request, signed: Signed, what: str, now: float, tables: tuple[str, ...]
    ) -> "Entry":
        """Return the entry of a request that waits.

        Args:
            what: the kind of plan, in a word. tables: that it reads.
        """
        return cls(
            plan_hash=request.plan_hash,
            recipient=request.recipient,
            purpose=request.purpose,
            what=what,
            asked_at=int(now),
            payload=signed.payload.decode(),
            signature=base64.b64encode(signed.signature).decode(),
            tables=tables,
        )

    @property
    def signed(self) -> Signed:
        """The request as it came."""
        signature = base64.b64decode(self.signature, validate=True)
        return Signed(Request.kind, self.recipient, self.payload.encode(), signature)

    def state(self, today: dt.date) -> State:
        """Return how the plan stands on a day (UTC)."""
        if self.approved is None:
            return State.WAITING
        if not self.approved:
            return State.DENIED
        over = self.until is not None and today > self.until
        return State.USED if over or self.times == 0 else State.APPROVED
