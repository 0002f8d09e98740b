"""Three banks that flag customers, a supervisor who owns nothing, and gates between them."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from heads import head

from cleanroom.contract.terms import Terms
from cleanroom.local.given import as_file, by_member
from cleanroom.sources.database import Database

BANKS = ("bank_a", "bank_b", "bank_c")
CUSTOMERS = 60
GATES = {
    "flagged_twice": "SELECT customer, SUM(amount) AS total FROM flags GROUP BY customer "
    "HAVING COUNT(DISTINCT member) >= 2 AND SUM(amount) > 9000 ORDER BY total DESC",
    "their_flags": "SELECT f.customer, f.reason, f.amount FROM flags f WHERE f.customer IN "
    "(SELECT customer FROM flags GROUP BY customer HAVING COUNT(DISTINCT member) = 3)",
    "by_phone": "SELECT a.phone, COUNT(*) AS n FROM phones a JOIN flags f "
    "ON a.customer = f.customer GROUP BY a.phone HAVING COUNT(DISTINCT f.customer) >= 2",
    "on_the_list": "SELECT w.customer, f.reason FROM bank_a.watched w LEFT JOIN flags f "
    "ON w.customer = f.customer AND f.amount > 5000",
}


def contract(max_rows: int = 20, **changes: Any) -> dict[str, Any]:
    """Return a contract as a dict; `changes` are of all gates."""
    bank = {"roles": ["input", "computing", "result"]}
    banks = {name: {**bank, "address": f"127.0.0.1:{7501 + i}"} for i, name in enumerate(BANKS)}
    shown = {"supervisor": ["reveal"], **{name: ["reveal"] for name in BANKS}}
    customer = {"type": "INTEGER", "bounds": [0, 999], "rights": shown}
    gate = {"to": ["supervisor"], "max_rows": max_rows, "owners": True, **changes}
    return {
        **head("banks", 7500),
        "members": {
            **banks,
            "supervisor": {"roles": ["result"]},
            "outsider": {"roles": ["result"]},
        },
        "privacy": {"release": "gated"},
        "tables": {
            "flags": {
                "members": list(BANKS),
                "person": "customer",
                "max_rows": 100,
                "columns": {
                    "customer": customer,
                    "amount": {"type": "DECIMAL(9,2)", "bounds": [0, 10000], "rights": shown},
                    "reason": {
                        "type": "TEXT",
                        "values": ["cash", "country", "structuring"],
                        "nullable": True,
                        "rights": shown,
                    },
                    "day": {"type": "DATE", "bounds": [dt.date(2026, 1, 1), dt.date(2026, 12, 31)]},
                },
            },
            "phones": {
                "members": list(BANKS),
                "person": "customer",
                "max_rows": 100,
                "max_rows_per_person": 1,
                "columns": {
                    "customer": customer,
                    "phone": {"type": "TEXT", "max_bytes": 8, "rights": shown},
                },
            },
            "bank_a.watched": {
                "person": "customer",
                "max_rows": 100,
                "max_rows_per_person": 1,
                "columns": {"customer": customer},
            },
        },
        "gates": {name: {"sql": sql, **gate} for name, sql in GATES.items()},
    }


def terms(max_rows: int = 20, **changes: Any) -> Terms:
    return Terms.of(contract(max_rows, **changes))


def rows(seed: int = 0, flagged: int = 40) -> dict[str, Any]:
    """Return the rows of every table; of each bank's flags `flagged`."""
    draw = np.random.default_rng(seed)

    def flags(n: int) -> pd.DataFrame:
        reasons = draw.choice(["cash", "country", "structuring", ""], n)
        return pd.DataFrame(
            {
                "customer": draw.integers(0, CUSTOMERS, n),
                "amount": draw.integers(0, 1_000_000, n) / 100,
                "reason": [reason or None for reason in reasons],
                "day": [dt.date(2026, 1, 1 + int(d)) for d in draw.integers(0, 30, n)],
            }
        )

    def phones() -> pd.DataFrame:
        customers = draw.choice(CUSTOMERS, 40, replace=False)
        return pd.DataFrame(
            {"customer": customers, "phone": [f"555-{i:03}" for i in draw.integers(0, 30, 40)]}
        )

    watched = pd.DataFrame({"customer": draw.choice(CUSTOMERS, 15, replace=False)})
    return {
        "flags": {bank: flags(flagged) for bank in BANKS},
        "phones": {bank: phones() for bank in BANKS},
        "bank_a.watched": watched,
    }


def stored(data: dict[str, Any], folder: Path) -> dict[str, Database]:
    """Return the rows at their owners."""
    agreed, found = terms(), {}
    for member, tables in by_member(agreed, data).items():
        paths = {
            name: as_file(part, folder / f"{member}-{name}.parquet", name, columns)
            for name, part in tables.items()
            for columns in [tuple(agreed.tables[name].columns)]
        }
        if paths:
            found[member] = Database(agreed, member, paths)
    return found


def pooled(data: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """Return plain DuckDB with everybody's rows, where `member` is a column of federated tables."""
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE SCHEMA bank_a")
    for table, parts in data.items():
        held = parts if isinstance(parts, dict) else {"bank_a": parts}
        found = pd.concat([part.assign(member=member) for member, part in held.items()])
        connection.register("found", found)
        rest = " REPLACE (CAST(amount AS DECIMAL(9,2)) AS amount)" if "amount" in found else ""
        connection.execute(f"CREATE TABLE {table} AS SELECT *{rest} FROM found")
        connection.unregister("found")
    return connection
