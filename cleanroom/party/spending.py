"""What noisy answers about this member's rows cost, and its own ledger, which has the last word.

Rule: charged before the first word leaves, for all that a session tells at once. The contract
grants an epsilon for each of its tables, towards each recipient, for each purpose that the contract
names; a job's own words about its purpose grant nothing.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Protocol

from cleanroom.budget.ledger import Ledger, Scope, Spent
from cleanroom.budget.zcdp import UNITS, epsilon, rho_within
from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.errors import BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable
from cleanroom.policy.model import Code, Violation
from cleanroom.storage.state import State

ANSWERS = {Right.COUNT, Right.SUM, Right.AVG}


class Cost(Protocol):
    @property
    def units(self) -> int: ...


class Charged(Protocol):
    """What every plan says of its cost, a query's and a training's."""

    @property
    def hash(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    @property
    def noise(self) -> Cost | None: ...


class Spending:
    """One member's budgets.

    Args:
        name: of the member. state: that holds its ledger; without one, nothing noisy is told.
    """

    def __init__(self, name: str, terms: Terms, state: State | None) -> None:
        self._name, self._terms, self._state = name, terms, state

    def violations(self, plan: Charged) -> tuple[Violation, ...]:
        """Return every table whose budget doesn't suffice now.

        Raises:
            StateUnavailable: if the ledger can't be used.
        """
        costs, delta = self._costs(plan), self._terms.privacy.delta
        if not costs:
            return ()
        found, ledger = [], self._ledger(costs)
        for scope, rho in costs.items():
            if rho > (left := ledger.left(scope)):
                asked, rest = epsilon(rho, delta), epsilon(left, delta)
                message = f"{scope.table}: epsilon {asked:.4g} asked, {rest:.4g} left"
                remedy = "Ask with a smaller epsilon; only a new contract grants more."
                found.append(Violation(Code.BUDGET_EXHAUSTED, self._name, message, remedy))
        return tuple(found)

    def charge(self, session: str, plan: Charged) -> None:
        """Charge a new session for all that it will tell; durable on return.

        A session that this process forgot, as it was started again, isn't answered again: the
        noise would be new, and two answers tell more than one.

        Raises:
            BudgetExhausted, RequestReplayed, StateRestored, StateUnavailable: nothing may be told.
        """
        if costs := self._costs(plan):
            try:
                plan_hash = bytes.fromhex(plan.hash)
                self._ledger(costs).charge_all(session, plan_hash, costs, goes_on=False)
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

    def _costs(self, plan: Charged) -> Mapping[Scope, Fraction]:
        if plan.noise is None:
            return {}
        purpose = self._terms.room.scope(plan.purpose)
        rho = Fraction(plan.noise.units, UNITS)
        mine = set(self._terms.tables_of(self._name))
        return {Scope(t, plan.recipient, purpose): rho for t in plan.tables if t in mine}

    def _ledger(self, scopes: Mapping[Scope, Fraction]) -> Ledger:
        """Return the ledger, and have it know what the contract grants."""
        if self._state is None:
            raise StateUnavailable("this process keeps no state", party=self._name)
        ledger = Ledger(self._state)
        for scope in scopes:
            ledger.allow(scope, self._granted)
        return ledger
