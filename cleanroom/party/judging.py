"""A member's rulings: by the contract, by its own policy and by what its durable state says.

Rule: the only place where a member's process decides whether anything may run. What is counted is
read, ruled on and written in one transaction, on disk before anything runs; nobody's word but the
signed request's enters.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.budget.scored import count, scored
from cleanroom.contract.terms import Terms
from cleanroom.engine import Check, Violation
from cleanroom.errors import StateRestored, StateUnavailable
from cleanroom.party.spending import Spending
from cleanroom.policy.check import Ruled
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.own import Own
from cleanroom.storage.state import State
from cleanroom.storage.view import View


@dataclass(frozen=True, slots=True)
class Judge:
    """One member's judgement.

    Attributes:
        spending: its privacy budgets.
        state: without it nothing can be counted, so nothing that has to be runs.
    """

    terms: Terms
    check: Check
    own: Own
    spending: Spending
    state: State | None = None

    async def rule(self, plan: Ruled, *, runs: bool) -> Sequence[Violation]:
        """Return every way in which a plan breaks the policy.

        Args:
            runs: whether it runs if nothing forbids it: then it is counted.

        Raises:
            StateRestored, StateUnavailable: if what has to be counted can't be.
        """
        today = dt.datetime.now(dt.UTC).date()
        try:
            return await asyncio.to_thread(self._rule, plan, today, runs=runs)
        except (StateRestored, StateUnavailable) as error:
            error.party = self.own.member
            raise

    def _rule(self, plan: Ruled, today: dt.date, *, runs: bool) -> Sequence[Violation]:
        if not isinstance(plan, Rows):  # budgets are charged later, when all have accepted
            spent = Spent(left=self.spending.left(plan), erased=self._erased())
            return self._checked(plan, spent, today)
        if self.state is None:
            raise StateUnavailable("this process keeps no state")
        if not runs:
            with self.state.reading() as view:
                return self._checked(plan, _spent(view, plan, today), today)
        with self.state.writing() as batch:
            violations = self._checked(plan, _spent(batch, plan, today), today)
            if not violations:
                count(batch, plan.plan.model, plan.recipient, today, plan.n)
        return violations

    def _erased(self) -> frozenset[str]:
        if self.state is None:
            return frozenset()
        with self.state.reading() as view:
            return view.erased()

    def _checked(self, plan: Ruled, spent: Spent, today: dt.date) -> Sequence[Violation]:
        return self.check(plan, self.terms, self.own, spent, today)


def _spent(view: View, rows: Rows, today: dt.date) -> Spent:
    return Spent(scored=scored(view, rows.plan.model, rows.recipient, today))
