"""A member's rulings: by the contract, by its own policy and by what its durable state says.

Rule: the only place where a member's process decides whether anything may run. What is counted is
read, ruled on and written in one transaction, on disk before anything runs; nobody's word but the
signed request's enters.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.contract.terms import Terms
from cleanroom.engine import Check, Violation
from cleanroom.errors import StateRestored, StateUnavailable
from cleanroom.party.approving import Approving
from cleanroom.party.counting import Counting
from cleanroom.party.run import Run
from cleanroom.party.spending import Spending
from cleanroom.policy.approval import needs_person
from cleanroom.policy.check import Ruled
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own
from cleanroom.session.statements import Request, Signed
from cleanroom.storage.state import State, utc_today


@dataclass(frozen=True, slots=True)
class Judge:
    """One member's judgement.

    Attributes:
        spending: its privacy budgets. approving: what a person decided.
        state: without it nothing can be counted, so nothing that has to be runs.
    """

    terms: Terms
    check: Check
    own: Own
    spending: Spending
    approving: Approving
    state: State | None = None

    async def rule(self, plan: Ruled, request: Request, signed: Signed) -> Sequence[Violation]:
        """Return every way in which a plan breaks the policy.

        Unless it is a rehearsal, what runs is counted, and what only lacks a person's approval is
        kept until somebody decides.

        Args:
            signed: the request as its recipient signed it.

        Raises:
            StateRestored, StateUnavailable: if what has to be counted can't be.
        """
        today = utc_today()
        try:
            runs = request.rehearsal is None
            found = await asyncio.to_thread(self._rule, plan, today, runs=runs)
            if runs and [v.code for v in found] == [Code.APPROVAL_NEEDED]:
                keep = self.approving.keep
                return await asyncio.to_thread(keep, plan, request, signed, found, today)
            return found
        except (StateRestored, StateUnavailable) as error:
            error.party = self.own.member
            raise

    async def begin(self, run: Run, plan: Ruled) -> None:
        """Use the plan's approval up, once all members have accepted; return if it may begin.

        Raises:
            ApprovalNeeded, StateRestored, StateUnavailable: if it may not.
        """
        if needs_person(plan, self.own.policy):
            await run.accepted.wait()
            await asyncio.to_thread(self.approving.take, plan, utc_today())

    def _rule(self, plan: Ruled, today: dt.date, *, runs: bool) -> Sequence[Violation]:
        # budgets are charged later, when all have accepted
        left = {} if isinstance(plan, Rows) else self.spending.left(plan)
        approval = self.approving.found(plan, today)
        spent = Spent(left=left, erased=self._erased(), approval=approval)
        counting = Counting.of(plan, self.terms, self.own)
        if not counting:
            return self._checked(plan, spent, today)
        if self.state is None:
            raise StateUnavailable("this process keeps no state")
        if not runs:
            with self.state.reading() as view:
                return self._checked(plan, counting.before(view, spent, today), today)
        with self.state.writing() as batch:
            violations = self._checked(plan, counting.before(batch, spent, today), today)
            if not violations:
                counting.count(batch, today)
        return violations

    def _erased(self) -> frozenset[str]:
        if self.state is None:
            return frozenset()
        with self.state.reading() as view:
            return view.erased()

    def _checked(self, plan: Ruled, spent: Spent, today: dt.date) -> Sequence[Violation]:
        return self.check(plan, self.terms, self.own, spent, today)
