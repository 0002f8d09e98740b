"""`member` in SQL: whose row of a federated table each is, for whoever has a right to that."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import rooms
from in_memory import run_on_ciphertexts

from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid, UnknownName
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.policy.check import by_contract
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

QUERIES = [
    "SELECT member, COUNT(*), SUM(amt) FROM transactions GROUP BY member",
    "SELECT cust FROM transactions GROUP BY cust HAVING COUNT(DISTINCT member) >= 2",
    "SELECT t.member, p.state, COUNT(*) FROM transactions t JOIN alpha.people p ON p.id = t.cust "
    "GROUP BY 1, 2",
    "SELECT a.cust, COUNT(*) FROM transactions a JOIN transactions b ON a.cust = b.cust "
    "AND a.member < b.member GROUP BY a.cust",
    "SELECT p.id, COUNT(t.member) FROM alpha.people p LEFT JOIN transactions t ON t.cust = p.id "
    "AND t.member <> 'alpha' GROUP BY 1",
    "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(DISTINCT member) AS n FROM transactions "
    "WHERE member IN ('alpha', 'gamma') GROUP BY cust) GROUP BY n",
    "SELECT r, COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY member ORDER BY amt, cust) "
    "AS r FROM transactions) GROUP BY r",
]


def terms(**changes: object) -> Terms:
    room = rooms.room()
    room["tables"]["transactions"] |= {"member_rights": rooms.RIGHTS, **changes}
    return Terms.of(room)


def plan_of(sql: str, agreed: Terms | None = None, protocol: Protocol = "mpc") -> Plan:
    return compile_query(sql, agreed or terms(), "0" * 64, "analyst", protocol)


@pytest.fixture(scope="module")
def pooled() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with everybody's rows, where `member` is a column like others."""
    data: Any = rooms.rows()
    with rooms.pooled(terms(), data) as connection:
        connection.execute("ALTER TABLE transactions ADD COLUMN member VARCHAR")
        connection.execute("DELETE FROM transactions")
        for member, rows in data["transactions"].items():
            marks = ", ".join("?" for _ in [*rows[0], member])
            found = [[*row.values(), member] for row in rows]
            connection.executemany(f"INSERT INTO transactions VALUES ({marks})", found)
        yield connection


@pytest.mark.parametrize("sql", QUERIES)
def test_as_a_column_in_duckdb(
    sql: str, databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    plan = plan_of(sql)
    found = finish(plan, insecure_run(plan, databases).columns).to_pandas()
    assert len(found)
    expected = rooms.cells(pooled.sql(sql).df(), ordered=False)
    assert rooms.cells(found, ordered=False) == expected


def test_on_ciphertexts(
    databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    plan = plan_of(QUERIES[0], protocol="he")
    found = finish(plan, run_on_ciphertexts(plan, databases).columns).to_pandas()
    expected = rooms.cells(pooled.sql(QUERIES[0]).df(), ordered=False)
    assert rooms.cells(found, ordered=False) == expected


USES = {
    QUERIES[0]: {"group"},
    QUERIES[1]: {"count"},
    "SELECT COUNT(*) FROM transactions WHERE member = 'alpha'": {"filter"},
    "SELECT member FROM transactions": {"reveal"},
}


@pytest.mark.parametrize("sql", USES)
def test_denied_without_the_right(sql: str) -> None:
    agreed = terms(member_rights={"analyst": []})
    found = by_contract(plan_of(sql, agreed), agreed, agreed.room.expires)
    assert all("column transactions.member used as" in v.message for v in found)
    assert {v.message.split("'")[1] for v in found} == USES[sql]
    assert not by_contract(plan_of(sql), terms(), agreed.room.expires)


def test_star_leaves_it_out() -> None:
    assert len(plan_of("SELECT * FROM transactions").opened) == 6  # one says how often


def test_a_declared_column_hides_it() -> None:
    room = rooms.room()
    columns = room["tables"]["transactions"]["columns"]
    columns["member"] = {"type": "INTEGER", "bounds": [0, 3], "rights": rooms.RIGHTS}
    plan = plan_of("SELECT SUM(member) FROM transactions", Terms.of(room))
    assert [column.sql_type for column in plan.opened] == ["HUGEINT", "BIGINT"]
    room["tables"]["transactions"]["member_rights"] = rooms.RIGHTS
    with pytest.raises(ContractInvalid, match="member_rights"):
        Terms.of(room)


def test_one_members_table_has_none() -> None:
    with pytest.raises(UnknownName, match="'member'"):
        plan_of("SELECT member FROM alpha.people")


def test_rights_are_of_members_that_receive_results() -> None:
    with pytest.raises(ContractInvalid, match=r"tables\.transactions\.member_rights: 'alpha'"):
        terms(member_rights={"alpha": ["group"]})
