"""A room as one of its members holds it in Python: the gates that its contract has.

Rule: what a caller may call. The calls behind it are the client's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cleanroom.recipient.asking import Progress
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.result import Result
from cleanroom.recipient.standing import Standing

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.explanation import Explanation


class Gates(Standing):
    """Rows that open where a secret condition of the contract holds."""

    def gates(self) -> "pd.DataFrame":
        """Return every gate of the contract: its name, who may ask it, its text."""
        import pandas as pd

        from cleanroom.plan.sheet_of_gate import for_whom

        rows = [
            {"gate": name, "for": for_whom(gate), "max_rows": gate.max_rows, "sql": gate.sql}
            for name, gate in self.contract.terms.gates.items()
        ]
        return pd.DataFrame(rows, columns=["gate", "for", "max_rows", "sql"])

    def explain_gate(
        self, name: str, *, purpose: str = "", offline: bool = False
    ) -> "Explanation":
        """Return who would learn what from a gate, at which cost, and how each member rules.

        Args:
            name, purpose: as in `gate`; offline: as in `explain`.

        Raises:
            UnknownName, UnsupportedQuery: as the message says.
        """
        from cleanroom.plan.sheet import Sheet

        plan = self._client.gate_plan(name, purpose)
        sheet = Sheet.of(plan, self.contract.terms)
        return self._client.explained(plan, sheet, offline=offline)

    def gate(
        self,
        name: str,
        *,
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Return the rows for which a gate's secret condition holds: the contract's, as signed.

        A recipient that the gate names gets all of them, up to its max_rows; an owner, where the
        gate has owners = true, those that one of its own rows is part of. Nobody learns anything
        about other rows, but for `more` of the result.

        Args:
            name: of the contract's gate.
            purpose, deadline_s, on_progress: as in `sql`.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            CleanroomError: as `sql`.
        """
        plan = self._client.gate_plan(name, purpose)
        progress: Progress = on_progress or (lambda _stage, _member: None)
        return Result(self._client.ask(plan, deadline_s, progress, None))
