"""The rows that a member asks scores for: its own, read in its own process, never sent plain."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanroom.errors import DataMismatch, PolicyDenied, TableErased
from cleanroom.lifecycle.forgotten import LeftOut
from cleanroom.plan.scoring import ScorePlan
from cleanroom.policy.check import by_contract
from cleanroom.policy.matter import Rows
from cleanroom.session.member import Membership
from cleanroom.storage.state import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cleanroom.sources.database import Database


class OwnRows:
    """A member's tables, loaded and checked against the contract when first needed.

    Args:
        state: opens what the member keeps: which persons and tables are left out.
        opt_outs: the member's list of persons who are in nothing.
    """

    def __init__(
        self,
        member: Membership,
        tables: Mapping[str, Path],
        state: Callable[[], State] | None = None,
        opt_outs: Path | None = None,
    ) -> None:
        self._member = member
        self._tables = tables
        self._opt_outs = opt_outs
        self._state = state
        self._database: Database | None = None
        self._left_out: LeftOut | None = None
        self._loading = threading.Lock()

    def read(self, plan: ScorePlan) -> "Mapping[str, NDArray[Any]]":
        """Return what a plan encrypts, if the contract lets this member have it scored.

        Raises:
            PolicyDenied: naming every rule that forbids it.
            DataMismatch: if the files differ from the contract, or there are no rows.
            TableErased: if the table was erased here.
        """
        self._check(plan, 0)
        database = self._loaded(plan.table)
        rows = database.rows(plan.table)
        self._check(plan, rows)
        if not rows:
            what = f"table {plan.table} has no rows to score"
            raise DataMismatch(what, party=self._member.name)
        return database.run(plan.read_sql, b"")

    def _check(self, plan: ScorePlan, rows: int) -> None:
        """Refuse here what the contract refuses; what the model's owner knows besides decides."""
        terms, today = self._member.contract.terms, dt.datetime.now(dt.UTC).date()
        if violations := by_contract(Rows(plan, rows), terms, today):
            message = "; ".join(
                f"{v.party}: {v.message} [{v.rule}]" if v.party else f"{v.message} [{v.rule}]"
                for v in violations
            )
            remedies = dict.fromkeys(v.remedy for v in violations)
            raise PolicyDenied(message, party=self._member.name, remedy=" ".join(remedies))

    def _loaded(self, table: str) -> "Database":
        """Return the rows, without persons who were forgotten."""
        with self._loading:
            if self._state is None:
                return self._database or self._load(frozenset())
            with self._state() as state:
                with state.reading() as view:
                    erased = view.erased()
                if table in erased:
                    raise TableErased(f"table {table} was erased here", party=self._member.name)
                database = self._database or self._load(erased)
                if self._left_out is not None:
                    self._left_out.renew(state)
            return database

    def _load(self, erased: frozenset[str]) -> "Database":
        from cleanroom.sources.opted_out import load

        terms, name = self._member.contract.terms, self._member.name
        own = terms, name, self._tables, erased
        self._database = load(*own, opt_outs=self._opt_outs, whole=True)
        self._left_out = LeftOut(self._database, tuple(terms.tables_of(name)))
        return self._database
