"""What a plan makes a member count before it runs, and what was counted of it before.

Rule: reads and writes the state within a transaction of the caller, and decides nothing.
"""

import datetime as dt
from dataclasses import dataclass

from cleanroom.budget import asked
from cleanroom.budget.scored import Daily, count, counted
from cleanroom.contract.terms import Terms
from cleanroom.plan.gated import Gated
from cleanroom.plan.plan import Plan
from cleanroom.plan.restrictions import Base
from cleanroom.plan.rowsets import RowSet
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.asked import compared, watched
from cleanroom.policy.check import Ruled
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.own import Own
from cleanroom.storage.view import Batch, View


@dataclass(frozen=True, slots=True)
class Counting:
    """What one plan counts as; nothing of it is written unless it runs.

    Attributes:
        daily: rows scored, or a gate or propagation asked; and how much of it.
        columns: that are compared.
        sets: of rows that may not overlap with others.
    """

    recipient: str
    daily: tuple[Daily, int] | None = None
    columns: tuple[Base, ...] = ()
    sets: tuple[RowSet, ...] = ()

    @classmethod
    def of(cls, plan: Ruled, terms: Terms, own: Own) -> "Counting":
        to = plan.recipient
        match plan:
            case Rows(scoring, n):
                return cls(to, (Daily("scored", scoring.model, to), n))
            case Plan(gate=Gated(name)):
                return cls(to, (Daily("gates", name, to), 1))
            case Plan() if plan.propagation is not None:
                return cls(to, (Daily("propagations", plan.propagation.flow.name, to), 1))
            case Plan() | TrainPlan():
                columns = compared(plan, terms, own.member)
                return cls(to, None, columns, watched(plan, terms, own))
        return cls(to)

    def __bool__(self) -> bool:
        return self.daily is not None or bool(self.columns or self.sets)

    def before(self, view: View, spent: Spent, today: dt.date) -> Spent:
        """Return what is spent, with what was counted before."""
        daily = 0 if self.daily is None else counted(view, self.daily[0], today)
        tables = (one.table for one in self.sets)
        return Spent(
            left=spent.left,
            counted=daily,
            erased=spent.erased,
            approval=spent.approval,
            comparisons=asked.comparisons(view, self.recipient, self.columns),
            row_sets=asked.row_sets(view, self.recipient, tables),
        )

    def count(self, batch: Batch, today: dt.date) -> None:
        """Count it all.

        Raises:
            StateRestored: if the state came out of a backup.
        """
        if self.daily is not None:
            count(batch, self.daily[0], today, self.daily[1])
        if self.columns:
            asked.count_comparisons(batch, self.recipient, self.columns)
        if self.sets:
            asked.keep_row_sets(batch, self.recipient, self.sets)
