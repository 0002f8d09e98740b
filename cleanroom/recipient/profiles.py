"""A room as one of its members holds it in Python: what is known of a table before asking.

Rule: what a caller may call, and how it reads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanroom.contract.columns import ColumnTerms, TableTerms
from cleanroom.execution.profile import FEW, MOST, Told
from cleanroom.plan.profile import SHARES, ProfilePlan
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.standing import Standing
from cleanroom.session.receipt import Receipt

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class TableProfile:
    """A table as the contract has it, and what its owners tell of their rows.

    Attributes:
        told: owner -> what it tells; empty if the contract lets owners tell nothing.
        receipt: what every owner signed about this session; None if nobody was asked.
    """

    plan: ProfilePlan
    terms: TableTerms
    told: Mapping[str, Told] = field(default_factory=dict)
    receipt: Receipt | None = None

    @property
    def rows(self) -> dict[str, str]:
        """Owner -> roughly how many rows it has, in words; without those that don't tell."""
        if "rows" not in self.plan.tells:
            return {}
        return {owner: _rows(told) for owner, told in self.told.items()}

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each column, with the share of NULLs at each owner that tells."""
        import pandas as pd

        return pd.DataFrame(
            [self._line(name, column) for name, column in self.terms.columns.items()]
        )

    def _line(self, name: str, column: ColumnTerms) -> dict[str, str]:
        rights = column.rights_of(self.plan.recipient, self.plan.purpose)
        line = {
            "column": name,
            "type": column.type,
            "values": _values(column),
            "rights": ", ".join(rights),
        }
        if "missing" in self.plan.tells:
            for owner, told in self.told.items():
                heading = f"NULL at {owner}"
                line[heading] = _missing(told, name, column)
        return line

    def __str__(self) -> str:
        told = [f"{owner}: {words}" for owner, words in self.rows.items()]
        about = told or ["the contract lets its owners tell nothing of their rows"]
        return "\n".join([self.plan.table, *(f"  {line}" for line in about)])


class Profiles(Standing):
    """What members tell before anything is asked of their rows."""

    def profile(
        self,
        table: str,
        *,
        purpose: str = "",
        offline: bool = False,
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> TableProfile:
        """Return types, ranges and rights of a table, and what its owners tell of their rows.

        Each owner is asked for what the contract lets it tell: how many rows it has, as a power of
        two, and how often values are missing, in steps. Nothing rests on fewer persons than
        `min_group`, and only columns that this member may use are told of.

        Args:
            purpose, deadline_s, on_progress: as in `sql`.
            offline: ask nobody.

        Raises:
            UnknownName: naming the nearest table.
            CleanroomError: as `sql`.
        """
        plan = self._client.profile_plan(table, purpose)
        terms = self.contract.terms.tables[table]
        if offline or not plan.tells:
            return TableProfile(plan, terms)
        progress = on_progress or (lambda _stage, _member: None)
        told, receipt = self._client.profile(plan, deadline_s, progress)
        return TableProfile(plan, terms, told, receipt)


def _rows(told: Told) -> str:
    if told.rows is None and told.min_group == 1:
        return "no rows"
    if told.rows is None:
        return f"rows of fewer than {told.min_group} persons"
    return f"{told.rows // 2 + 1} to {told.rows} rows" if told.rows > 1 else "1 row"


def _values(column: ColumnTerms) -> str:
    null = " or NULL" if column.nullable else ""
    if column.values is not None:
        few = ", ".join(column.values[:6]) + (", ..." if len(column.values) > 6 else "")
        return few + null
    if column.bounds is not None:
        return f"{column.bounds[0]} to {column.bounds[1]}{null}"
    return (f"at most {column.max_bytes} bytes" if column.max_bytes else "any") + null


def _missing(told: Told, name: str, column: ColumnTerms) -> str:
    if not column.nullable:
        return "never"
    if told.missing is None or name not in told.missing:
        return ""
    match told.missing[name]:
        case share if share == FEW:
            return "never" if told.min_group == 1 else f"of fewer than {told.min_group} persons"
        case share if share == MOST:
            one = told.min_group == 1
            return "always" if one else f"of all but fewer than {told.min_group} persons"
        case share:
            before = SHARES.index(share)
            return f"{SHARES[before - 1] if before else 0} to {share} %"
