"""Propagations: which columns make accounts and payments, and who may ask for its own scores.

Rule: what stands below one `[propagations.NAME]`, checked against the tables that it names. All
members sign it, so whoever asks chooses a number of rounds and nothing else.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from cleanroom.contract.columns import ColumnTerms, TableTerms
from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.types import Kind

MOST_ROUNDS = 32


class PropagationTerms(Strict):
    """Scores of accounts that flow along payments, round after round.

    In each round an account's score becomes (1 - damping) of it and damping of the scores of those
    that paid into it, weighed by what they paid.

    Attributes:
        accounts: a federated table, one row an account, at the one member that keeps it.
        account, score: its columns: the account's name; where it starts, from 0 to 1.
        payments: a federated table; a payment is a row at the member that keeps its target.
        source, target, amount: its columns: two accounts, and what was paid.
        max_rounds: the most rounds, or hops, that may be asked for.
        to: who may ask, each for the accounts that it keeps itself and for no others.
        per_day: how often each of them may ask on one day (UTC): who asks again after it changed
            its own rows learns more of others' each time.
    """

    accounts: Name
    account: Name
    score: Name
    payments: Name
    source: Name
    target: Name
    amount: Name
    damping: Annotated[Decimal, Field(ge=Decimal("0.01"), le=1, decimal_places=6)] = Decimal("0.5")
    max_rounds: Annotated[int, Field(ge=1, le=MOST_ROUNDS, strict=True)]
    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    per_day: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 10

    @property
    def columns(self) -> frozenset[tuple[str, str]]:
        """Every column that it uses, with its table."""
        of_accounts = ((self.accounts, name) for name in (self.account, self.score))
        of_payments = ((self.payments, name) for name in (self.source, self.target, self.amount))
        return frozenset((*of_accounts, *of_payments))

    def check(self, tables: Mapping[str, TableTerms]) -> None:
        """Check that tables and columns are what a propagation needs.

        Raises:
            ValueError: naming the key that doesn't hold.
        """
        accounts, payments = self._table("accounts", tables), self._table("payments", tables)
        keeping = set(accounts.members or ())
        if not set(payments.members or ()) <= keeping:
            raise ValueError(f"payments: {self.payments} has members that keep no accounts")
        columns = dict(self._columns(accounts, payments))
        for key, column in columns.items():
            if column.nullable:
                raise ValueError(f"{key}: may be NULL; nobody could tell what that means")
        _check_names({key: columns[key] for key in ("account", "source", "target")})
        _check_number("score", columns["score"], 1)
        _check_number("amount", columns["amount"], None)
        for name in self.to:
            if name not in keeping:
                raise ValueError(f"to: {name!r} keeps no accounts, so there is nothing to tell it")

    def _table(self, key: str, tables: Mapping[str, TableTerms]) -> TableTerms:
        name = getattr(self, key)
        if name not in tables or tables[name].members is None:
            raise ValueError(f"{key}: no federated table {name!r}")
        return tables[name]

    def _columns(
        self, accounts: TableTerms, payments: TableTerms
    ) -> Iterator[tuple[str, ColumnTerms]]:
        of_accounts = ((key, accounts) for key in ("account", "score"))
        of_payments = ((key, payments) for key in ("source", "target", "amount"))
        for key, table in (*of_accounts, *of_payments):
            name = getattr(self, key)
            if name not in table.columns:
                raise ValueError(f"{key}: no column {name!r}")
            yield key, table.columns[name]


def _check_names(columns: Mapping[str, ColumnTerms]) -> None:
    """Check that columns can name accounts, each other's among them."""
    kinds = {column.sql_type.kind for column in columns.values()}
    if len(kinds) > 1 or not kinds <= {Kind.INTEGER, Kind.TEXT}:
        raise ValueError("account, source and target: all INTEGER, or all TEXT with max_bytes")
    for key, column in columns.items():
        if column.values is not None:
            raise ValueError(f"{key}: has declared values; accounts have names of their own")


def _check_number(key: str, column: ColumnTerms, most: int | None) -> None:
    if column.sql_type.kind in (Kind.INTEGER, Kind.DECIMAL):
        low, high = column.range
        if low >= 0 and (most is None or high <= most * 10**column.sql_type.scale):
            return
    to = "up" if most is None else f"to {most}"
    raise ValueError(f"{key}: a number with bounds from 0 {to}")
