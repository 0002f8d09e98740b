"""What noisy answers about this member's rows cost, and its own ledger, which has the last word.

Rule: charged before the first word leaves, for all that a session tells at once. The contract
grants an epsilon for each of its tables, towards each recipient, for each purpose that the contract
names; a job's own words about its purpose grant nothing.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from cleanroom.budget.ledger import Ledger, Scope, Spent
from cleanroom.budget.zcdp import rho_within
from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.errors import BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable
from cleanroom.policy.budgets import Charged, costs
from cleanroom.storage.state import State

ANSWERS = {Right.COUNT, Right.SUM, Right.AVG}


class Spending:
    """One member's budgets.

    Args:
        name: of the member. state: that holds its ledger; without one, nothing noisy is told.
    """

    def __init__(self, name: str, terms: Terms, state: State | None) -> None:
        self._name, self._terms, self._state = name, terms, state

    def left(self, plan: Charged) -> Mapping[Scope, Fraction]:
        """Return what may still be charged now, of the budgets that a plan is charged to.

        Raises:
            StateUnavailable: if the ledger can't be used.
        """
        scopes = costs(plan, self._terms, self._name)
        if not scopes:
            return {}
        ledger = self._ledger(scopes)
        return {scope: ledger.left(scope) for scope in scopes}

    def charge(self, session: str, plan: Charged) -> None:
        """Charge a new session for all that it will tell; durable on return.

        A session that this process forgot, as it was started again, isn't answered again: the
        noise would be new, and two answers tell more than one.

        Raises:
            BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable: nothing may be told.
        """
        if charges := costs(plan, self._terms, self._name):
            try:
                plan_hash = bytes.fromhex(plan.hash)
                self._ledger(charges).charge_all(session, plan_hash, charges, goes_on=False)
            except (BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable) as error:
                error.party = self._name
                raise

    def budgets(self) -> tuple[Spent, ...]:
        """Return every budget of this member's tables: granted now, or spent from before.

        Raises:
            StateUnavailable: if the ledger can't be used.
        """
        found = {scope: Spent(scope, self._granted, Fraction(0)) for scope in self._scopes()}
        if self._state is not None:
            for one in Ledger(self._state).spent():
                allowed = self._granted if one.scope in found else one.allowed
                found[one.scope] = one._replace(allowed=allowed)
        return tuple(found[scope] for scope in sorted(found))

    def _scopes(self) -> Iterator[Scope]:
        room = self._terms.room
        purposes = tuple(room.purposes) or (room.scope(""),)
        for table in self._terms.tables_of(self._name):
            columns = self._terms.tables[table].columns.values()
            granted = [one for column in columns for one in column.granted()]
            noisy = {Right.TRAIN} | (ANSWERS if self._terms.privacy.release == "dp" else set())
            told = {(to, for_) for to, for_, rights in granted if noisy & set(rights)}
            for recipient, purpose in told:
                yield from (Scope(table, recipient, p) for p in purposes if purpose in ("", p))

    @property
    def _granted(self) -> Fraction:
        privacy = self._terms.privacy
        return rho_within(privacy.epsilon, privacy.delta)

    def _ledger(self, scopes: Mapping[Scope, Fraction]) -> Ledger:
        """Return the ledger, and have it know what the contract grants."""
        if self._state is None:
            raise StateUnavailable("this process keeps no state", party=self._name)
        ledger = Ledger(self._state)
        for scope in scopes:
            ledger.allow(scope, self._granted)
        return ledger
