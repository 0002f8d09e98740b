"""Persons behind a group come from several members, and the recipient's own rows don't count."""

from typing import Any

import duckdb
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

BY_MONTH = "SELECT channel, month(booked) AS m, COUNT(*) AS n FROM transactions GROUP BY 1, 2"
JOINED = (
    "SELECT p.code, COUNT(*) AS n FROM transactions t JOIN alpha.people p ON p.id = t.cust "
    "GROUP BY 1"
)


def terms(min_group: int, **privacy: object) -> Terms:
    """Return terms under which alpha, which holds rows, may ask, too."""
    room = rooms.room(min_group, **privacy)
    room["members"]["alpha"]["roles"] = ["input", "computing", "result"]
    for table in room["tables"].values():
        for column in table["columns"].values():
            column["rights"] = {who: column["rights"]["analyst"] for who in ("analyst", "alpha")}
    return Terms.of(room)


@pytest.fixture(scope="module")
def pooled() -> duckdb.DuckDBPyConnection:
    data: Any = rooms.rows()
    connection = rooms.pooled(rooms.terms(), data)
    connection.execute("ALTER TABLE transactions ADD COLUMN who VARCHAR")
    connection.execute("DELETE FROM transactions")
    for member, rows in data["transactions"].items():
        marks = ", ".join("?" for _ in [*rows[0], member])
        found = [[*row.values(), member] for row in rows]
        connection.executemany(f"INSERT INTO transactions VALUES ({marks})", found)
    return connection


@pytest.mark.parametrize("recipient", ["analyst", "alpha"])
@pytest.mark.parametrize(("min_group", "least"), [(2, 1), (2, 2), (1, 2), (1, 3)])
@pytest.mark.parametrize("sql", [BY_MONTH, JOINED], ids=["one table", "joined"])
def test_groups_rest_on_persons_of_other_members(
    sql: str,
    min_group: int,
    least: int,
    recipient: str,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    agreed = terms(min_group, min_members=least)
    if recipient == "alpha" and least == 3:
        with pytest.raises(UnsupportedQuery, match="which 2 others hold"):
            compile_query(sql, agreed, "h", recipient)
        return
    plan = compile_query(sql, agreed, "h", recipient)
    opened, clear = run_on_shares(plan, databases), insecure_run(plan, databases)
    others = f"CASE WHEN who <> '{recipient}' THEN"
    large = pooled.sql(
        f"{sql} HAVING COUNT(DISTINCT {others} cust END) >= {min_group if min_group > 1 else 0} "
        f"AND COUNT(DISTINCT {others} who END) >= {least if least > 1 else 0}"
    ).fetchall()
    assert opened.n == clear.n == len(large)
    assert opened.suppressed == clear.suppressed == len(pooled.sql(sql).fetchall()) - len(large)


@pytest.mark.parametrize(
    ("sql", "recipient", "privacy"),
    [
        (
            "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) "
            "GROUP BY n",
            "alpha",
            {},
        ),
        (
            "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) "
            "GROUP BY n",
            "analyst",
            {"min_members": 2},
        ),
        (
            "SELECT p.state, COUNT(*) FROM alpha.people p LEFT JOIN transactions t ON p.id = t.cust"
            " GROUP BY p.state",
            "analyst",
            {"min_members": 2},
        ),
    ],
)
def test_where_nobody_can_tell_whose_rows_they_are_it_is_refused(
    sql: str, recipient: str, privacy: dict[str, Any]
) -> None:
    with pytest.raises(UnsupportedQuery, match="of several members"):
        compile_query(sql, terms(3, **privacy), "h", recipient)
