"""Window functions: whose rows may share a partition, which rights they need, where they run."""

from decimal import Decimal

import duckdb
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.nodes import Compute, Union, Window
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

NUMBERED = "SELECT *, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) AS n FROM transactions"
GAPS = "SELECT id, cost, LAG(cost) OVER (PARTITION BY id ORDER BY day, cost) AS c FROM alpha.visits"
JOINED = (
    "SELECT p.id, c.kind, RANK() OVER (PARTITION BY c.pid ORDER BY c.level) AS r"
    " FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
)


@pytest.mark.parametrize("min_group", [2, 3, 5])
@pytest.mark.parametrize(
    ("sql", "person"),
    [
        (f"SELECT n, channel, COUNT(*) FROM ({NUMBERED}) t GROUP BY n, channel", "cust"),
        (f"SELECT c > cost, COUNT(*) FROM ({GAPS}) t GROUP BY c > cost", "id"),
        (f"SELECT kind, r, COUNT(*) FROM ({JOINED}) t GROUP BY kind, r", "id"),
        (
            "SELECT n, kind, COUNT(*) FROM (SELECT kind, COUNT(*) OVER (PARTITION BY pid) AS n,"
            " pid FROM beta.claims) t GROUP BY n, kind",
            "pid",
        ),
    ],
)
def test_the_person_of_a_partition_stands_behind_its_rows(
    sql: str,
    person: str,
    min_group: int,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    plan = compile_query(sql, rooms.terms(min_group), "h", "analyst")
    outcome = insecure_run(plan, databases)
    groups = len(pooled.sql(sql).fetchall())
    large = len(pooled.sql(f"{sql} HAVING COUNT(DISTINCT {person}) >= {min_group}").fetchall())
    assert len(plan.root.input.persons) == 1
    assert (outcome.n, outcome.suppressed) == (large, groups - large)


def test_a_person_that_isn_t_selected_is_counted_too(databases: dict[str, Database]) -> None:
    inner = "SELECT amt, RANK() OVER (PARTITION BY cust ORDER BY amt) AS r FROM transactions"
    for inside in (inner, inner.replace("transactions", "(SELECT cust, amt FROM transactions) s")):
        sql = f"SELECT COUNT(*), SUM(amt) FROM ({inside}) t WHERE r = 1 AND amt > 8900"
        few = insecure_run(compile_query(sql, rooms.terms(50), "h", "analyst"), databases)
        many = insecure_run(compile_query(sql, rooms.terms(2), "h", "analyst"), databases)
        assert (few.n, few.suppressed) == (0, 1)
        assert many.n + many.suppressed == 1


MIXED = [
    "SELECT amt, LAG(amt) OVER (ORDER BY booked) AS n FROM transactions",
    "SELECT amt, RANK() OVER (PARTITION BY channel ORDER BY amt) AS n FROM transactions",
    "SELECT cost, LAG(cost) OVER (ORDER BY day) AS n FROM alpha.visits",
    "SELECT cost, COUNT(*) OVER (PARTITION BY day) AS n FROM alpha.visits",
    "SELECT RANK() OVER (PARTITION BY id ORDER BY day) AS n,"
    " LEAD(cost) OVER (ORDER BY day) AS c FROM alpha.visits",
    "SELECT RANK() OVER (PARTITION BY p.id ORDER BY c.level) AS n"
    " FROM alpha.people p JOIN beta.claims c ON p.name = c.name",
    "SELECT RANK() OVER (PARTITION BY p.id + 1 ORDER BY p.born) AS n FROM alpha.people p",
    "SELECT RANK() OVER (PARTITION BY s ORDER BY c) AS n"
    " FROM (SELECT cust AS s, cust AS c, COUNT(*) AS k FROM transactions GROUP BY cust) t"
    " JOIN beta.claims b ON t.k = b.level",
]


@pytest.mark.parametrize("inner", MIXED)
def test_a_partition_of_several_persons_is_refused(inner: str) -> None:
    """A lagged value, or a rank among others, tells of others than the row's own person."""
    sql = f"SELECT COUNT(*) FROM ({inner}) t WHERE n > 1"
    with pytest.raises(UnsupportedQuery, match="doesn't name the person") as caught:
        compile_query(sql, rooms.terms(2), "h", "analyst")
    assert "PARTITION BY" in caught.value.remedy
    compile_query(sql, rooms.terms(1), "h", "analyst")


def uses(sql: str) -> set[tuple[str, str]]:
    plan = compile_query(sql, rooms.terms(), "h", "analyst")
    return {(use.column, use.right) for use in plan.uses}


@pytest.mark.parametrize("table", ["alpha.visits", "(SELECT * FROM alpha.visits) v"])
def test_rights_of_one_owner_s_window(table: str) -> None:
    inner = f"SELECT cost, ROW_NUMBER() OVER (PARTITION BY id ORDER BY day) AS n FROM {table}"
    assert uses(f"SELECT SUM(cost) FROM ({inner}) t WHERE n = 1") == {
        ("id", "group"),
        ("day", "compare"),
        ("day", "filter"),
        ("cost", "sum"),
    }


def test_rights_of_a_window_on_shares() -> None:
    inner = (
        "SELECT amt - LAG(amt) OVER (PARTITION BY cust, month(booked) ORDER BY booked, -other)"
        " AS d, channel FROM transactions"
    )
    assert uses(f"SELECT channel, SUM(d) FROM ({inner}) t GROUP BY channel") == {
        ("cust", "group"),
        ("booked", "group"),
        ("booked", "compare"),
        ("other", "compare"),
        ("other", "filter"),
        ("amt", "sum"),
        ("channel", "group"),
    }


def test_an_expression_that_singles_out_needs_filter_in_a_window_s_rows() -> None:
    inner = "SELECT {0} AS c, RANK() OVER (PARTITION BY cust) AS n FROM transactions"
    for expression in ("CASE WHEN amt = 7 THEN 1 END", "abs(amt)"):
        found = uses(f"SELECT COUNT(c) FROM ({inner.format(expression)}) t")
        assert {("amt", "filter"), ("amt", "count")} <= found


def test_one_owner_computes_its_own_windows() -> None:
    sql = f"SELECT COUNT(*), SUM(c) FROM ({GAPS}) t WHERE c > 3"
    plan = compile_query(sql, rooms.terms(2), "h", "analyst")
    (leaf,) = plan.leaves
    assert isinstance(plan.root.input.input.input, Leaf)
    assert "LAG" in leaf.sql.upper()
    assert leaf.tables == ("alpha.visits",)


def test_presorted_parts_of_owners_meet_in_one_window() -> None:
    sql = f"SELECT SUM(amt) FROM ({NUMBERED}) t WHERE n = 1"
    plan = compile_query(sql, rooms.terms(2), "h", "analyst")
    made = plan.root.input.input.input
    assert isinstance(made, Compute)
    assert isinstance(made.input, Window)
    assert isinstance(made.input.input, Union)
    first = made.input.partition + tuple(by.column for by in made.input.order)
    assert all(leaf.sorted_by == first for leaf in plan.leaves)
    assert all("GROUP BY" not in leaf.sql for leaf in plan.leaves)


def test_the_sheet_says_what_a_window_finds() -> None:
    sql = f"SELECT SUM(amt) FROM ({NUMBERED}) t WHERE n = 1"
    sheet = Sheet.of(compile_query(sql, rooms.terms(2), "h", "analyst"), rooms.terms(2))
    assert "row_number" in sheet.text
    assert "in partitions by" in sheet.text
    assert "transactions.cust: group" in sheet.text
    assert len(sheet.opened) == 2


@pytest.mark.parametrize("down", ["", " DESC"])
@pytest.mark.parametrize(
    ("table", "person", "value"),
    [("alpha.visits", "id", "cost"), ("transactions", "cust", "amt")],
)
def test_equal_rows_stand_in_the_order_of_owners_and_rows(
    table: str, person: str, value: str, down: str, databases: dict[str, Database]
) -> None:
    """Backwards if the order descends; the same in an owner's SQL and on shares."""
    sql = (
        f"SELECT n, SUM(v) AS s FROM (SELECT {value} AS v, ROW_NUMBER() OVER "
        f"(PARTITION BY {person} ORDER BY {person}{down}) AS n FROM {table}) t GROUP BY n"
    )
    plan = compile_query(sql, rooms.terms(), "h", "analyst")
    got = finish(plan, run_on_shares(plan, databases).columns).to_pydict()
    data = rooms.rows()[table]
    together = [r for part in data.values() for r in part] if isinstance(data, dict) else data
    expected: dict[int, Decimal] = {}
    seen: dict[int, int] = {}
    for row in reversed(together) if down else together:
        n = seen[row[person]] = seen.get(row[person], 0) + 1
        expected[n] = expected.get(n, Decimal(0)) + row[value]
    assert dict(zip(got["n"], got["s"], strict=True)) == expected
