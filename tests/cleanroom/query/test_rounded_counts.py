"""Counts are told as the contract says, and nothing else of an answer tells them exactly."""

from typing import Any

import duckdb
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.controls import Rounding
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

NEAREST = {"redact": 7, "round_to": 5}
MIDPOINT = {"round_to": 6, "rounding": "midpoint"}
# query over `transactions`: each output's exact counterpart, as DuckDB counts
COUNTED = (
    "SELECT channel, COUNT(*) AS n, COUNT(other) AS o, COUNT(DISTINCT cust) AS p, "
    "SUM(CASE WHEN amt > 0 THEN 1 ELSE 0 END) AS s FROM transactions GROUP BY channel"
)


def compiled(sql: str, min_group: int = 1, **privacy: object) -> Plan:
    return compile_query(sql, rooms.terms(min_group, **privacy), "0" * 64, "analyst")


def answers(plan: Plan, databases: dict[str, Database]) -> list[dict[str, Any]]:
    """Return the answer on shares, which is that of the twin."""
    opened, clear = run_on_shares(plan, databases), insecure_run(plan, databases)
    assert opened.suppressed == clear.suppressed
    found, expected = (finish(plan, o.columns).to_pylist() for o in (opened, clear))
    assert sorted(map(str, found)) == sorted(map(str, expected))
    return found


@pytest.mark.parametrize(
    ("true", "told"), [(3, -1), (8, 10), (16, 15), (23, 25), (18, 20), (31, 30), (44, 45)]
)
def test_counts_of_opensafely_s_own_example(true: int, told: int) -> None:
    """docs.opensafely.org, releasing files, rounding counts: redacted up to 7, then to 5."""
    assert Rounding((), 5, False, 7).told(true) == told


@pytest.mark.parametrize(("low", "high", "told"), [(0, 0, 0), (1, 6, 3), (7, 12, 9), (13, 18, 15)])
def test_runs_of_opensafely_s_midpoints(low: int, high: int, told: int) -> None:
    """docs.opensafely.org, releasing files, midpoint 6 rounding."""
    rounding = Rounding((), 6, True, 0)
    assert {rounding.told(count) for count in range(low, high + 1)} == {told}


@pytest.mark.parametrize("privacy", [NEAREST, MIDPOINT], ids=str)
def test_every_count_of_a_group_is_rounded(
    privacy: dict[str, Any], databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    plan = compiled(COUNTED, **privacy)
    rounding = plan.root.rounding
    assert rounding is not None
    exact = {row[0]: row[1:] for row in pooled.sql(COUNTED).fetchall()}
    for row in answers(plan, databases):
        told = [None if (t := rounding.told(n)) < 0 else t for n in exact[row["channel"]]]
        assert [row[name] for name in "nops"] == told


def test_an_average_is_the_exact_sum_by_the_rounded_count(
    databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    sql = "SELECT AVG(amt) AS a, SUM(amt) AS s, COUNT(*) AS n FROM transactions"
    plan = compiled(sql, round_to=10)
    (row,) = answers(plan, databases)
    total, count = pooled.sql("SELECT SUM(amt), COUNT(*) FROM transactions").fetchall()[0]
    assert (row["s"], row["n"]) == (total, 100)
    assert count != row["n"]
    assert row["a"] == pytest.approx(float(total) / 100)


def test_having_and_order_see_rounded_counts_alone(databases: dict[str, Database]) -> None:
    """Else asking HAVING COUNT(*) > 8, > 9, ... would find each count."""
    by = "SELECT state, COUNT(*) AS n FROM alpha.people GROUP BY state"
    plan = compiled(f"{by} HAVING COUNT(*) >= 10 ORDER BY n DESC, state LIMIT 3", round_to=5)
    assert [row["n"] for row in answers(plan, databases)] == [15, 10, 10]
    more = answers(compiled(f"{by} HAVING COUNT(*) > 10", round_to=5), databases)
    assert all(row["n"] > 10 for row in more)


def test_a_redacted_count_is_null_and_zero_in_having(databases: dict[str, Database]) -> None:
    by = "SELECT code, COUNT(*) AS n, SUM(score) AS s FROM alpha.people GROUP BY code"
    low = answers(compiled(f"{by} HAVING COUNT(*) < 5", **NEAREST), databases)
    assert low
    assert {row["n"] for row in low} == {None}
    high = answers(compiled(f"{by} HAVING COUNT(*) >= 5", **NEAREST), databases)
    assert None not in {row["n"] for row in high}


@pytest.mark.parametrize(
    "select",
    [
        "SUM(amt + 1) FROM transactions",
        "SUM(2 * amt - 3) FROM transactions",
        "SUM(5) FROM transactions",
        "SUM(CASE WHEN amt > 3 THEN 1000 ELSE 0 END) FROM transactions",
        "SUM(CASE WHEN amt > 3 THEN 7 ELSE amt END) FROM transactions",
        "SUM(COALESCE(other, 7)) FROM transactions",
        "SUM(year(booked)) FROM transactions",
        "SUM(amt) FROM transactions WHERE amt = 7",
        "SUM(amt) FROM transactions WHERE amt IN (7, 8)",
        "SUM(amt) FROM transactions WHERE NOT amt <> 7",
        "SUM(CASE WHEN amt = 7 THEN amt END) FROM transactions",
        "SUM(amt) FILTER (WHERE amt = 7) FROM transactions",
        "amt, SUM(amt) FROM transactions GROUP BY amt",
        "amt - other, SUM(amt) FROM transactions GROUP BY 1",
        "SUM(level) FROM beta.claims WHERE level > 8",
        "SUM(level * level) FROM beta.claims",
        "VARIANCE(amt) FROM transactions",
        "CORR(amt, other) FROM transactions",
        "channel FROM transactions GROUP BY channel HAVING SUM(amt + 1) > 100",
        "channel FROM transactions GROUP BY channel ORDER BY SUM(amt + 1) LIMIT 1",
        "SUM(n) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust)",
        "SUM(r) FROM (SELECT cust, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY amt) AS r "
        "FROM transactions)",
        "SUM(DISTINCT level * level) FROM beta.claims",
        "amt FROM transactions",
    ],
)
def test_what_would_tell_exact_counts_is_refused(select: str) -> None:
    compiled(f"SELECT {select}")
    with pytest.raises(UnsupportedQuery, match=r"exactly what is rounded|rounded counts|how often"):
        compiled(f"SELECT {select}", **NEAREST)


@pytest.mark.parametrize(
    "select",
    [
        "SUM(amt), AVG(amt), SUM(2 * amt), SUM(amt * other) FROM transactions",
        "SUM(CASE WHEN channel = 'web' THEN amt ELSE 0 END) FROM transactions",
        "SUM(amt) FILTER (WHERE channel = 'web') FROM transactions WHERE amt > 100",
        "SUM(level), AVG(level), MEDIAN(amount), MIN(amount) FROM beta.claims",
        "SUM(abs(amt - other)) FROM transactions",
        "COUNT(*), AVG(active) FROM alpha.people",
        "SUM(p.score * c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid",
        "COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) WHERE n > 2",
    ],
)
def test_other_sums_stay_exact(select: str) -> None:
    compiled(f"SELECT {select}", 3, **NEAREST)


def test_a_subquery_s_count_can_t_be_compared_where_persons_aren_t_told_apart() -> None:
    """Else the number of rows would be found by asking whether it is above 1, 2, 3, ..."""
    sql = "SELECT COUNT(*) FROM alpha.people WHERE (SELECT COUNT(*) FROM beta.claims) > 80"
    with pytest.raises(UnsupportedQuery, match="tell them exactly"):
        compiled(sql, **NEAREST)
    with pytest.raises(UnsupportedQuery, match="doesn't name the person"):
        compiled(sql, 3, **NEAREST)


@pytest.mark.parametrize(
    "select",
    [
        "state, MAX(n) FROM (SELECT state, COUNT(*) OVER (PARTITION BY state) AS n FROM "
        "alpha.people) GROUP BY state",
        "n, COUNT(*) FROM (SELECT COUNT(*) OVER (PARTITION BY state) AS n FROM alpha.people) "
        "GROUP BY n",
        "COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY state ORDER BY id) AS n "
        "FROM alpha.people) WHERE n = 13",
    ],
)
def test_one_owner_s_window_functions_count_nothing_exactly(select: str) -> None:
    compiled(f"SELECT {select}")
    with pytest.raises(UnsupportedQuery, match=r"tell them exactly|told exactly"):
        compiled(f"SELECT {select}", **NEAREST)


@pytest.mark.parametrize(
    "value", ["MAX(n), MIN(n)", "MEDIAN(n)", "QUANTILE_DISC(n, 0.9)", "MAX(n + 1)"]
)
@pytest.mark.parametrize("over", ["GROUP BY id", "one owner's window"])
def test_no_value_of_a_subquery_s_counts_is_told(value: str, over: str) -> None:
    inner = "SELECT id, COUNT(*) AS n FROM alpha.visits GROUP BY id"
    if over != "GROUP BY id":
        inner = "SELECT id, COUNT(*) OVER (PARTITION BY id) AS n FROM alpha.visits"
    compiled(f"SELECT {value} FROM ({inner})", 3)
    with pytest.raises(UnsupportedQuery, match="told exactly"):
        compiled(f"SELECT {value} FROM ({inner})", 3, **NEAREST)


def test_a_count_that_may_be_too_large_is_refused() -> None:
    sql = "SELECT COUNT(*) FROM transactions a JOIN transactions b ON a.cust = b.cust JOIN "
    sql += "transactions c ON a.cust = c.cust JOIN transactions d ON a.cust = d.cust"
    compiled(sql)
    with pytest.raises(OverflowPossible, match=r"up to 67107863 can be rounded to multiples"):
        compiled(sql, round_to=1000)


def test_the_sheet_says_what_becomes_of_counts() -> None:
    agreed = rooms.terms(3, **NEAREST)
    plan = compile_query(COUNTED, agreed, "0" * 64, "analyst")
    text = Sheet.of(plan, agreed).text
    assert "counts up to 7 are withheld\n  counts are rounded to the nearest multiple of 5" in text
    assert "round the counts d0, d1, d2, u0 before anything else sees them" in text
