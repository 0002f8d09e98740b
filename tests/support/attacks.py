"""A recipient that attacks persons' secrets with questions, past a real ledger and real noise.

One owner keeps a secret bit of each of n persons; whoever asks knows everything else of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from heads import head
from in_memory import run_on_shares
from kept import state

from cleanroom.budget.zcdp import epsilon, rho_within
from cleanroom.contract.terms import Terms
from cleanroom.execution.contribute import Source
from cleanroom.local.given import as_file
from cleanroom.party.spending import Spending
from cleanroom.plan.plan import Plan
from cleanroom.query.compile import compile_query
from cleanroom.session.statements import new_session
from cleanroom.sources.database import Database

MOST = 1000  # persons
RIGHTS = {"analyst": ["count", "sum", "avg", "filter", "group"]}
Bits: TypeAlias = "np.ndarray[Any, Any]"


def terms(**privacy: object) -> Terms:
    """Return a contract with the default budget, unless told otherwise."""
    computing = {
        name: {"roles": ["computing"], "address": f"127.0.0.1:{7601 + i}"}
        for i, name in enumerate(("one", "two", "three"))
    }
    asking = {"owner": {"roles": ["input"]}, "analyst": {"roles": ["result"]}}
    columns = {
        "id": {"type": "INTEGER", "bounds": [0, MOST], "rights": RIGHTS},
        "bit": {"type": "INTEGER", "bounds": [0, 1], "rights": RIGHTS},
        "age": {"type": "INTEGER", "bounds": [0, 99], "rights": RIGHTS},
    }
    table = {"person": "id", "max_rows_per_person": 1, "max_rows": MOST, "columns": columns}
    return Terms.of(
        {
            **head("attacked", 7600),
            "members": {**computing, **asking},
            "privacy": {"release": "dp", **privacy},
            "tables": {"owner.people": table},
        }
    )


class Victim:
    """An owner's rows, ledger and computing members, without a network between them."""

    def __init__(self, folder: Path, agreed: Terms, n: int, seed: int) -> None:
        dice = np.random.default_rng(seed)
        self.terms, self.name = agreed, f"{n}-{seed}"
        self.bits, self.ages = dice.integers(0, 2, n), dice.integers(0, 100, n)
        rows = pd.DataFrame({"id": range(n), "bit": self.bits, "age": self.ages})
        path = as_file(rows, folder / f"{self.name}.parquet", "people", tuple(rows))
        self.rows: Source = Database(agreed, "owner", {"owner.people": path})
        folder = folder / self.name
        folder.mkdir()
        self.spending = Spending("owner", agreed, state(folder))
        self.asked = 0

    @property
    def majority(self) -> float:
        """What guessing recovers at best."""
        return float(max(self.bits.mean(), 1 - self.bits.mean()))

    def recovered(self, scores: Bits) -> float:
        """Return the share of persons whose bit a score above one half tells."""
        return float(((scores > 0.5) == (self.bits == 1)).mean())

    def ask(self, plan: Plan, *, noisy: bool = True, rows: Source | None = None) -> Bits:
        """Return a question's totals in their order, shape (totals,), or (totals, cells).

        Args:
            noisy: False switches noise off, and the ledger.
            rows: stand for the owner's database.

        Raises:
            BudgetExhausted: before anything is read, if the ledger doesn't allow it.
        """
        self.asked += 1
        if noisy:
            self.spending.charge(new_session(), plan)
        run = plan if noisy else replace(plan, noise=None)
        named = {"owner": rows or self.rows}
        opened = run_on_shares(run, named, noise=f"{self.name}-{self.asked}")  # type: ignore[arg-type]
        totals = [opened.columns[c.name] for c in plan.opened if c.name in opened.columns]
        return np.array(totals).astype(float).squeeze()


class Counted:
    """Stands for a database that ran a question: the text of hundreds of totals takes seconds."""

    def __init__(self, totals: Bits) -> None:
        self._totals = totals

    def run(self, sql: str, text_key: bytes) -> Mapping[str, Bits]:
        del sql, text_key
        return {f"s0_{i}": np.array([total]) for i, total in enumerate(self._totals)}

    def rows(self, table: str) -> int:
        return len(table)

    def interrupt(self) -> None:
        """Nothing runs."""


def question(agreed: Terms, totals: Sequence[str], cost: float, rest: str = "") -> Plan:
    """Return the plan of one question for many totals."""
    sql = f"SELECT {', '.join(totals)} FROM owner.people {rest}"
    return compile_query(sql, agreed, "0" * 64, "analyst", epsilon=cost)


def part_of_budget(agreed: Terms, questions: int) -> float:
    """Return the epsilon of so many questions of equal cost that take all of the budget."""
    privacy = agreed.privacy
    rho = rho_within(privacy.epsilon, privacy.delta) / questions
    return float(epsilon(rho, privacy.delta)) * (1 - 1e-5)


def counts_of(victim: Victim, plan: Plan, subsets: Bits, *, noisy: bool) -> Bits:
    """Ask for the count of set bits in each subset, (4n, n), as many at once as the plan takes."""
    totals = len(plan.opened)
    exact, found = subsets @ victim.bits, []
    for start in range(0, len(subsets), totals):
        some = Counted(exact[start : start + totals].astype(np.int64))
        found.append(victim.ask(plan, noisy=noisy, rows=some))
    return np.concatenate(found)
