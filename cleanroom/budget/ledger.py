"""The ledger: what each recipient has learnt of one owner's tables, and how much is left.

Rule: what a charge is. It is on disk before `charge` returns, so whoever releases after that can
crash at any time and has released nothing that wasn't paid for.
"""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from cleanroom.audit.log import append
from cleanroom.audit.record import Kind, Record
from cleanroom.budget.zcdp import UNITS, allowed, charged
from cleanroom.errors import BudgetExhausted, RequestReplayed, StateRestored
from cleanroom.storage.state import State
from cleanroom.storage.view import Batch, View

_BUDGETS, _CHARGES = "budget", "charge"


class Scope(NamedTuple):
    """Whose budget: one of the owner's tables, towards one recipient, for one purpose."""

    table: str
    recipient: str
    purpose: str


class Spent(NamedTuple):
    """One budget, in rho."""

    scope: Scope
    allowed: Fraction
    spent: Fraction


class _Units(NamedTuple):
    """One budget, in whole units."""

    allowed: int = 0
    spent: int = 0

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.spent)


class Ledger:
    """An owner's budgets, in its state. Safe to use from many threads and many processes."""

    def __init__(self, state: State) -> None:
        self._state = state

    def allow(self, scope: Scope, rho: Fraction) -> None:
        """Set the total that may ever be spent, as the contract has it.

        A new limit changes neither what was spent nor what was charged; a lower one may leave
        nothing. A scope without a limit has nothing to spend.
        """
        limit = allowed(rho)
        with self._state.reading() as view:
            if _units(view, scope).allowed == limit:
                return
        with self._state.writing() as batch:
            _set(batch, scope, _units(batch, scope)._replace(allowed=limit))

    def left(self, scope: Scope) -> Fraction:
        """Return how much rho can still be charged; never below 0."""
        with self._state.reading() as view:
            return Fraction(_units(view, scope).left, UNITS)

    def spent(self) -> tuple[Spent, ...]:
        """Return every budget, by table, recipient and purpose."""
        with self._state.reading() as view:
            found = {Scope(*json.loads(row)): _read(value) for row, value in view.rows(_BUDGETS)}
        return tuple(
            Spent(scope, Fraction(one.allowed, UNITS), Fraction(one.spent, UNITS))
            for scope, one in sorted(found.items())
        )

    def charge(self, session: str, plan_hash: bytes, scope: Scope, rho: Fraction) -> None:
        """Charge one session for one table. See `charge_all`."""
        self.charge_all(session, plan_hash, {scope: rho})

    def charge_all(
        self,
        session: str,
        plan_hash: bytes,
        costs: Mapping[Scope, Fraction],
        *,
        goes_on: bool = True,
    ) -> None:
        """Charge one session for all that its result will tell, or for nothing.

        On return the charge is on disk. It isn't given back if the session fails afterwards. The
        same session with the same plan and costs is charged once, however often it asks: a
        session that goes on after a crash asks again.

        Args:
            goes_on: whether what the session tells after a crash is what it told before. False
                where it would be new noise: such a session is charged once and begun once.

        Raises:
            BudgetExhausted: if a budget doesn't suffice; nothing was charged then.
            RequestReplayed: if this session was charged for another plan or other costs, or at
                all where it can't go on.
            StateRestored: if the state came out of a backup, which may not know of all charges.
            StateUnavailable: if the charge can't be made durable.
        """
        wanted = {scope: charged(rho) for scope, rho in costs.items()}
        with self._state.writing() as batch:
            if batch.restored:
                raise StateRestored(batch.restored)
            if _charged_before(batch, session, plan_hash, wanted):
                if goes_on:
                    return
                raise RequestReplayed(f"session {session} was charged before")
            for scope, units in sorted(wanted.items()):
                _charge_one(batch, scope, units)
                append(batch, _record(session, plan_hash, scope, units))
            if wanted:
                batch.put(_CHARGES, session, _charge(plan_hash, wanted))


def _charged_before(view: View, session: str, plan: bytes, wanted: Mapping[Scope, int]) -> bool:
    if (value := view.get(_CHARGES, session)) is None:
        return False
    found = json.loads(value)
    costs = {Scope(*scope): units for scope, units in found["costs"]}
    if costs != wanted or found["plan"] != plan.hex():
        raise RequestReplayed(f"session {session} was charged for something else")
    return True


def _charge_one(batch: Batch, scope: Scope, units: int) -> None:
    budget = _units(batch, scope)
    if units > budget.left:
        raise BudgetExhausted(
            f"{scope.table} for {scope.recipient}: {_readable(units)} of rho asked, "
            f"{_readable(budget.left)} left"
        )
    _set(batch, scope, budget._replace(spent=budget.spent + units))


def _record(session: str, plan_hash: bytes, scope: Scope, units: int) -> Record:
    """Return the line in the log."""
    return Record.now(
        Kind.CHARGED,
        session=session,
        who=scope.recipient,
        purpose=scope.purpose,
        plan_hash=plan_hash.hex(),
        table=scope.table,
        rho=str(Fraction(units, UNITS)),
    )


def _charge(plan_hash: bytes, costs: Mapping[Scope, int]) -> bytes:
    """Return what is kept of a charge."""
    day = dt.datetime.now(dt.UTC).date().isoformat()
    return json.dumps(
        {"plan": plan_hash.hex(), "costs": sorted(costs.items()), "day": day}
    ).encode()


def _units(view: View, scope: Scope) -> _Units:
    value = view.get(_BUDGETS, json.dumps(scope))
    return _Units() if value is None else _read(value)


def _read(value: bytes) -> _Units:
    return _Units(*json.loads(value))


def _set(batch: Batch, scope: Scope, units: _Units) -> None:
    batch.put(_BUDGETS, json.dumps(scope), json.dumps(units).encode())


def _readable(units: int) -> str:
    return f"{Decimal(units) / UNITS:.6g}"
