"""Made-up tables of three banks, their contract, and the pooled DuckDB that answers alike.

Every group has at least ten persons, so that nothing is suppressed and the pooled answer is the
room's.
"""

from typing import Any

import duckdb
import numpy as np
import pandas as pd

BANKS = ("bank_a", "bank_b", "bank_c")
_CHANNELS = ("branch", "phone", "web")


def make(rows: int) -> dict[str, Any]:
    """Return tables of this many rows each; the federated one in three parts."""
    accounts, transfers, payments = _accounts(rows), _transfers(rows), _payments(rows)
    edges = np.linspace(0, rows, len(BANKS) + 1).astype(int)
    parts = {
        bank: payments.iloc[a:b] for bank, a, b in zip(BANKS, edges, edges[1:], strict=False)
    }
    return {"bank_a.accounts": accounts, "bank_b.transfers": transfers, "payments": parts}


def pooled(data: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Return DuckDB with everybody's rows in tables of its own."""
    connection = duckdb.connect(":memory:")
    for name, part in data.items():
        schema, dot, _ = name.rpartition(".")
        if dot:
            connection.execute(f"CREATE SCHEMA {schema}")
        frame = pd.concat(part.values()) if isinstance(part, dict) else part
        connection.register("given", frame)
        connection.execute(f"CREATE TABLE {name} AS FROM given")
    return connection


def equal(got: pd.DataFrame, expected: pd.DataFrame) -> bool:
    """Compare answers whose rows are in one order; money to half a cent."""
    if got.shape != expected.shape:
        return False
    return all(_equal_column(got.iloc[:, i], expected.iloc[:, i]) for i in range(got.shape[1]))


def _equal_column(got: "pd.Series[Any]", expected: "pd.Series[Any]") -> bool:
    if pd.api.types.is_numeric_dtype(expected):
        numbers = got.to_numpy(float), expected.to_numpy(float)
        return bool(np.allclose(*numbers, rtol=1e-9, atol=0.005))
    return got.astype(str).tolist() == expected.astype(str).tolist()


def contract(rows: int) -> dict[str, Any]:
    """Return the contract, with the number of rows as the tables' public bound."""
    return {
        "room": {
            "name": "benchmark",
            "version": 1,
            "purpose": "Measurement",
            "lawful_basis": "Made-up rows",
            "retention_days": 1,
            "expires": "2099-12-31",
        },
        "coordinator": {"address": "localhost:7100"},
        "members": {
            **{
                bank: {"roles": ["input", "computing"], "address": f"localhost:{7101 + i}"}
                for i, bank in enumerate(BANKS)
            },
            "analyst": {"roles": ["result"]},
        },
        "privacy": {"release": "sdc", "min_group": 10, "round_to": 1},
        "tables": _tables(rows),
    }


def _tables(rows: int) -> dict[str, Any]:
    person = _column("INTEGER", ["join", "group", "count"], bounds=[0, 2 * rows])
    segment = _column("INTEGER", ["group"], bounds=[0, 99])
    cents = _column("DECIMAL(9,2)", ["sum", "avg", "quantile"], bounds=[0, 10000])
    channel = _column("TEXT", ["group"], values=list(_CHANNELS))
    accounts = {"person": person, "segment": segment}
    return {
        "bank_a.accounts": {
            "person": "person",
            "max_rows_per_person": 1,
            "max_rows": rows,
            "columns": accounts,
        },
        "bank_b.transfers": {
            "person": "person",
            "max_rows": rows,
            "columns": {"person": person, "amount": cents},
        },
        "payments": {
            "members": list(BANKS),
            "person": "person",
            "max_rows": rows,
            "columns": {"person": person, "channel": channel, "amount": cents},
        },
    }


def _column(type_: str, rights: list[str], **more: Any) -> dict[str, Any]:
    return {"type": type_, "rights": {"analyst": rights}, **more}


def _accounts(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    segments = min(100, rows // 256 + 1)
    person = rng.permutation(2 * rows)[:rows]
    return pd.DataFrame({"person": person, "segment": rng.integers(0, segments, rows)})


def _transfers(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame({"person": rng.integers(0, 2 * rows, rows), "amount": _money(rng, rows)})


def _payments(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    person, channel = rng.integers(0, rows, rows), rng.choice(_CHANNELS, rows)
    return pd.DataFrame({"person": person, "channel": channel, "amount": _money(rng, rows)})


def _money(rng: np.random.Generator, rows: int) -> Any:
    return rng.integers(0, 10**6, rows) / 100
