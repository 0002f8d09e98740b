"""What a person at this member decided, as its rulings and its sessions need it.

Rule: decisions are the state's. Here a plan is looked up, kept until somebody decides, and its
approval used up before it runs.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.approval import entry
from cleanroom.approval.book import MAX_WAITING, Approvals
from cleanroom.engine import Violation as Found
from cleanroom.errors import ApprovalNeeded, StateUnavailable
from cleanroom.policy.approval import hash_of, kind_of, needs_person
from cleanroom.policy.check import Ruled
from cleanroom.policy.matter import Approval
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own
from cleanroom.session.statements import Request, Signed
from cleanroom.storage.state import State


@dataclass(frozen=True, slots=True)
class Approving:
    """One member's approvals; without a state nothing that needs one runs."""

    own: Own
    state: State | None

    def found(self, plan: Ruled, today: dt.date) -> Approval:
        """Return what was decided about a plan; nothing if nobody has to."""
        if not needs_person(plan, self.own.policy):
            return Approval()
        kept = self._approvals().find(hash_of(plan))
        if kept is None:
            return Approval(hash_of(plan))
        state = kept.state(today)
        given, denied = state is entry.State.APPROVED, state is entry.State.DENIED
        return Approval(hash_of(plan), given, denied, kept.reason)

    def keep(
        self,
        plan: Ruled,
        request: Request,
        signed: Signed,
        violations: Sequence[Found],
        today: dt.date,
    ) -> Sequence[Found]:
        """Keep a request that only lacks an approval; say so if there is no room for it."""
        if self._approvals().ask(request, signed, kind_of(plan), today, plan.tables):
            return violations
        full = f"{MAX_WAITING} other plans of {request.recipient} wait, and this one isn't kept"
        remedy = f"Have {self.own.member} decide on the others first, then ask again."
        (needed,) = violations
        message = f"{needed.message}; {full}"
        return (Violation(Code.APPROVAL_NEEDED, needed.party, message, remedy, needed.rule),)

    def take(self, plan: Ruled, today: dt.date) -> None:
        """Use an approval up, if the plan needs one; durable on return.

        Raises:
            ApprovalNeeded: if it was used up meanwhile, or denied.
            StateRestored, StateUnavailable: nothing may run.
        """
        if needs_person(plan, self.own.policy) and not self._approvals().take(hash_of(plan), today):
            what = "its approval was used up, or taken back, meanwhile"
            raise ApprovalNeeded(what, party=self.own.member, remedy="Ask again.")

    def _approvals(self) -> Approvals:
        if self.state is None:
            raise StateUnavailable("this process keeps no state")
        return Approvals(self.state)
