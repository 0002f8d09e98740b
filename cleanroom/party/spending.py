"""What noisy sums of this member's rows cost, and its own ledger, which has the last word.

Rule: charged before the first sum, for all of a session's sums at once. The contract grants an
epsilon for each of its tables, towards each recipient, for the contract's purpose; a job's own
words about its purpose grant nothing.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.budget.zcdp import UNITS, epsilon, rho_within
from cleanroom.contract.terms import Terms
from cleanroom.errors import BudgetExhausted, LedgerUnavailable, RequestReplayed
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.model import Code, Violation


class Spending:
    """One member's budgets. Opens the ledger for each use, so that other processes may too.

    Args:
        name: of the member. path: of its ledger; without one, nothing noisy is told.
    """

    def __init__(self, name: str, terms: Terms, path: Path | None) -> None:
        self._name, self._terms, self._path = name, terms, path

    def violations(self, plan: TrainPlan) -> tuple[Violation, ...]:
        """Return every table whose budget doesn't suffice now.

        Raises:
            LedgerUnavailable: if the ledger can't be used.
        """
        costs, delta = self._costs(plan), self._terms.privacy.delta
        if not costs:
            return ()
        found = []
        with self._ledger(costs) as ledger:
            for scope, rho in costs.items():
                if rho > (left := ledger.left(scope)):
                    asked, rest = epsilon(rho, delta), epsilon(left, delta)
                    message = f"{scope.table}: epsilon {asked:.4g} asked, {rest:.4g} left"
                    remedy = "Ask with a smaller epsilon; only a new contract grants more."
                    found.append(Violation(Code.BUDGET_EXHAUSTED, self._name, message, remedy))
        return tuple(found)

    def charge(self, session: str, plan: TrainPlan) -> None:
        """Charge a session for all that it will tell; durable on return.

        Raises:
            BudgetExhausted, RequestReplayed, LedgerUnavailable: nothing may be told.
        """
        if costs := self._costs(plan):
            try:
                with self._ledger(costs) as ledger:
                    ledger.charge_all(session, bytes.fromhex(plan.hash), costs)
            except (BudgetExhausted, RequestReplayed, LedgerUnavailable) as error:
                error.party = self._name
                raise

    def _costs(self, plan: TrainPlan) -> Mapping[Scope, Fraction]:
        if plan.noise is None:
            return {}
        purpose, rho = self._terms.room.purpose, Fraction(plan.noise.units, UNITS)
        return {Scope(table, plan.recipient, purpose): rho for table in plan.tables}

    def _ledger(self, scopes: Mapping[Scope, Fraction]) -> Ledger:
        """Open the ledger, and have it know what the contract grants."""
        if self._path is None:
            raise LedgerUnavailable("this process has no ledger", party=self._name)
        privacy = self._terms.privacy
        granted = rho_within(privacy.epsilon, privacy.delta)
        ledger = Ledger.open(self._path)
        for scope in scopes:
            ledger.allow(scope, granted)
        return ledger
