"""What the banks of this example hold, each its own customers' side of everything.

Rule: shapes alone; who makes up the rows, or reads them, is in `background`, `patterns` and `data`.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BANKS = ("bank_a", "bank_b", "bank_c")
COUNTRIES = ("DE", "FR", "NL", "ES")  # of the banks, and one more
CONTACTS = ("phone", "device", "address")
TYPOLOGIES = (
    "fan_in",
    "fan_out",
    "cycle",
    "scatter_gather",
    "gather_scatter",
    "stack",
    "bipartite",
)
START = pd.Timestamp("2026-01-05")  # a Monday
Ints: TypeAlias = NDArray[np.integer[Any]]
Tables: TypeAlias = dict[str, dict[str, pd.DataFrame]]


@dataclass(frozen=True)
class World:
    """All banks' rows before they are split, with the truth that no bank has.

    Attributes:
        accounts: one row each: id, bank, customer, country, phone, device, address (made-up rows
            alone), score (what its bank's own screening says, 0 to 1), pattern (number of the first
            that it is in, -1 for none), typology ("" for none).
        payments: one row each: src and dst (ids of accounts), amount, booked, pattern, typology.
        flags: customers that a bank flagged: bank, customer, risk (0 to 1).
        reports: suspicious activity that banks filed: bank, customer, typology, corridor, amount.
    """

    accounts: pd.DataFrame
    payments: pd.DataFrame
    flags: pd.DataFrame
    reports: pd.DataFrame

    def tables(self) -> Tables:
        """Return each table of the contract as each bank holds it.

        A payment is seen from both sides: its target's bank has it in `credits`, as its customer
        received it, its source's bank in `debits`, as its customer paid it.
        """
        where = self.accounts.set_index("id")
        source, target = (where.loc[self.payments[end]] for end in ("src", "dst"))
        moved = self.payments[["src", "dst", "amount", "booked"]].assign(
            number=range(len(self.payments)),
            corridor=[f"{a}-{b}" for a, b in zip(source.country, target.country, strict=True)],
        )
        held = ["id", "customer", "country", "score"]
        return {
            "accounts": _by_bank(self.accounts.bank, self.accounts[held]),
            "contacts": _by_bank(*self._contacts()),
            "credits": _by_bank(target.bank, moved.assign(customer=target.customer.to_numpy())),
            "debits": _by_bank(source.bank, moved.assign(customer=source.customer.to_numpy())),
            "flags": _by_bank(self.flags.bank, self.flags.drop(columns="bank")),
            "reports": _by_bank(self.reports.bank, self.reports.drop(columns="bank")),
        }

    def _contacts(self) -> tuple[pd.Series, pd.DataFrame]:
        """Return each contact of a customer at a bank once, whatever it has there."""
        known = self.accounts.rename(columns={"score": "risk"})
        kept = ["bank", "customer", "risk"]
        found = known.melt(kept, [c for c in CONTACTS if c in known], "kind", "value")
        found = found.drop_duplicates(["bank", "customer", "kind", "value"])
        return found.bank, found[["customer", "kind", "value", "risk"]]


def _by_bank(bank: pd.Series, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    held = bank.to_numpy()
    return {name: rows[held == name].reset_index(drop=True) for name in BANKS}
