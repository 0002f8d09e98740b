"""The ledger: what each recipient has learnt of one owner's tables, and how much is left.

Rule: what a charge is. It is on disk before `charge` returns, so whoever releases after that can
crash at any time and has released nothing that wasn't paid for.
"""

import datetime as dt
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Self

from cleanroom.budget.store import MAX_BYTES, Store
from cleanroom.budget.zcdp import UNITS, allowed, charged
from cleanroom.errors import BudgetExhausted, LedgerUnavailable, RequestReplayed

MAX_ANSWER_BYTES = 1 << 20
_MAX_NAME = 2000


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


class Ledger:
    """An owner's budgets. Safe to use from many threads and many processes at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, path: Path, max_bytes: int = MAX_BYTES) -> Self:
        """Open the ledger, or begin a new one.

        Args:
            max_bytes: beyond it nothing more can be charged, so nothing more is released.

        Raises:
            LedgerUnavailable: if it can't be used, others may read it, or it contradicts itself.
        """
        return cls(Store.open(path, max_bytes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was charged stays charged."""
        self._store.close()

    def allow(self, scope: Scope, rho: Fraction) -> None:
        """Set the total that may ever be spent, as the contract has it.

        A new limit changes neither what was spent nor what was charged; a lower one may leave
        nothing. A scope without a limit has nothing to spend.
        """
        _named(*scope)
        with self._store.writing() as db:
            db.execute(
                "INSERT INTO scope VALUES (?, ?, ?, ?, 0) "
                "ON CONFLICT DO UPDATE SET allowed = excluded.allowed",
                (*scope, allowed(rho)),
            )

    def left(self, scope: Scope) -> Fraction:
        """Return how much rho can still be charged; never below 0."""
        with self._store.reading() as db:
            return Fraction(max(0, _left(db, scope)), UNITS)

    def spent(self) -> tuple[Spent, ...]:
        """Return every budget, by table, recipient and purpose."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM scope ORDER BY tab, recipient, purpose").fetchall()
        return tuple(
            Spent(Scope(*r[:3]), Fraction(r[3], UNITS), Fraction(r[4], UNITS)) for r in rows
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
            LedgerUnavailable: if the charge can't be made durable.
        """
        _named(session, *(name for scope in costs for name in scope))
        wanted = {scope: charged(rho) for scope, rho in costs.items()}
        with self._store.writing() as db:
            if self._charged_before(db, session, plan_hash, wanted):
                if goes_on:
                    return
                raise RequestReplayed(f"session {session} was charged before")
            for scope, units in sorted(wanted.items()):
                self._charge_one(db, session, plan_hash, scope, units)

    def answered(self, plan_hash: bytes) -> bytes | None:
        """Return what was released for this very plan; to release it again costs nothing."""
        with self._store.reading() as db:
            row = db.execute("SELECT content FROM answer WHERE plan = ?", (plan_hash,)).fetchone()
        return bytes(row[0]) if row else None

    def keep_answer(self, plan_hash: bytes, content: bytes) -> None:
        """Keep what was released, so that the same plan gets the same again; the first one stays.

        Raises:
            LedgerUnavailable: if it is too large or can't be written. It was charged, so it may
                be released all the same; the next one is then charged again.
        """
        if len(content) > MAX_ANSWER_BYTES:
            raise LedgerUnavailable(f"an answer of more than {MAX_ANSWER_BYTES} bytes isn't kept")
        with self._store.writing() as db:
            db.execute("INSERT OR IGNORE INTO answer VALUES (?, ?)", (plan_hash, content))

    @staticmethod
    def _charged_before(
        db: sqlite3.Connection, session: str, plan: bytes, wanted: Mapping[Scope, int]
    ) -> bool:
        rows = db.execute(
            "SELECT tab, recipient, purpose, units, plan FROM charge WHERE session = ?", (session,)
        ).fetchall()
        if not rows:
            return False
        if {Scope(*r[:3]): r[3] for r in rows} != wanted or {r[4] for r in rows} != {plan}:
            raise RequestReplayed(f"session {session} was charged for something else")
        return True

    @staticmethod
    def _charge_one(
        db: sqlite3.Connection, session: str, plan: bytes, scope: Scope, units: int
    ) -> None:
        left = _left(db, scope)
        if units > left:
            raise BudgetExhausted(
                f"{scope.table} for {scope.recipient}: {_readable(units)} of rho asked, "
                f"{_readable(max(0, left))} left"
            )
        db.execute(
            "UPDATE scope SET spent = spent + ? WHERE tab = ? AND recipient = ? AND purpose = ?",
            (units, *scope),
        )
        today = dt.datetime.now(dt.UTC).date().isoformat()
        db.execute(
            "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?, ?)", (session, *scope, plan, units, today)
        )


def _left(db: sqlite3.Connection, scope: Scope) -> int:
    row = db.execute(
        "SELECT allowed - spent FROM scope WHERE tab = ? AND recipient = ? AND purpose = ?", scope
    ).fetchone()
    return int(row[0]) if row else 0


def _readable(units: int) -> str:
    return f"{Decimal(units) / UNITS:.6g}"


def _named(*names: str) -> None:
    if not all(0 < len(name) <= _MAX_NAME for name in names):
        raise ValueError(f"a name of 1 to {_MAX_NAME} characters is needed")
