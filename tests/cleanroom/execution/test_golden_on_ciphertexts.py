"""Golden queries on ciphertexts give what DuckDB gives on the pooled rows, exactly."""

from collections.abc import Mapping
from dataclasses import replace

import duckdb
import numpy as np
import pytest
import rooms
from in_memory import run_on_ciphertexts

from cleanroom.errors import DataMismatch, OverflowPossible, PeerMisbehaved, UnsupportedQuery
from cleanroom.execution.cells import add_up, read
from cleanroom.execution.histograms import values_of
from cleanroom.plan.grouping import Distinct, Extreme, Quantile
from cleanroom.plan.leaf import BitsColumn, Leaf
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plaintext_statistics import statistics
from cleanroom.plan.plan import Plan, Use
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.sources.database import Database


def encrypted(sql: str) -> Plan:
    return compile_query(sql, rooms.terms(), "0" * 64, "analyst", "he")


FITTING = dict(rooms.on_ciphertexts())


@pytest.mark.parametrize("title", FITTING)
def test_golden(
    title: str, databases: Mapping[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    sql = FITTING[title]
    plan, ordered = encrypted(sql), rooms.is_ordered(sql)
    expected = rooms.cells(pooled.sql(sql).df(), ordered=ordered)
    opened = run_on_ciphertexts(plan, databases).columns
    assert rooms.cells(as_pandas(finish(plan, opened)), ordered=ordered) == expected
    clear = insecure_run(plan, databases).columns
    assert rooms.cells(as_pandas(finish(plan, clear)), ordered=ordered) == expected


def test_many_golden_queries_fit() -> None:
    assert len(FITTING) >= 70


REFUSED = {
    "SELECT MEDIAN(amt) FROM transactions": "a histogram of 950001 values of transactions.amt with",
    "SELECT channel, MAX(booked) FROM transactions GROUP BY channel": "of transactions.booked in"
    " each of 4 cells",
    "SELECT MIN(name) FROM alpha.people": "a histogram of alpha.people.name with",
    "SELECT COUNT(DISTINCT city) FROM gamma.members": "a histogram of gamma.members.city with",
    "SELECT id, state FROM alpha.people": "rows without GROUP BY",
    "SELECT name, COUNT(*) FROM alpha.people GROUP BY name": "Declare its values in the contract",
    "SELECT booked, COUNT(*) FROM transactions GROUP BY booked": "524288 totals at most",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid": "between owners",
    "SELECT COUNT(*) FROM alpha.people WHERE id IN (SELECT pid FROM beta.claims)": "between owners",
    "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) t"
    " GROUP BY n": "aggregation inside another query",
    "SELECT cust, other FROM transactions GROUP BY 1, 2 HAVING MAX(cust * 3) > 3": "a"
    " histogram of 181 values of transactions.cust * 3 in each of 4392 cells with",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_does_not_follow_from_sums_is_refused_by_name(sql: str) -> None:
    with pytest.raises(UnsupportedQuery) as caught:
        encrypted(sql)
    assert REFUSED[sql] in str(caught.value)
    assert "Ask with protocol 'mpc'" in caught.value.remedy


@pytest.mark.parametrize("row", range(4))
def test_values_follow_from_histograms_as_from_rows(row: int) -> None:
    """One group a row: of no values, of one, of an even and an odd number."""
    codes = [[], [3], [0, 0, 2, 5], [1, 1, 1, 5, 5]][row]
    counts = np.bincount(np.array(codes, dtype=np.int64), minlength=6).reshape(1, 6)
    quantiles = [Quantile(f"q{i}", "at", "b", "w", i, 10, 0) for i in range(1, 11)]
    grouped = Aggregate(
        Leaf("alpha", "", (BitsColumn("b", 3, True, -2),), (), 9, ()),
        (),
        (),
        (),
        (Extreme("least", "min", "b"), Extreme("most", "max", "b")),
        (Distinct("n", "count", "b", 9), Distinct("s", "sum", "b", 99)),
        (Quantile("m", "middle", "b", "w", 1, 2, 99), *quantiles),
    )
    found = values_of(grouped, {"b": counts})
    rows = [{"b": code, "w": 1} for code in codes]
    wanted = {
        **statistics(grouped, rows),
        "least": min(codes, default=None),
        "most": max(codes, default=None),
    }
    for name, value in wanted.items():
        if name in found:
            assert found[name][0] == value
        else:
            null = bool(found[f"{name}_null"][0])
            assert (None if null else int(found[f"{name}_0"][0])) == value


def test_a_histogram_needs_the_right_to_group_and_is_on_the_sheet() -> None:
    plan = encrypted("SELECT MEDIAN(other) FROM transactions")
    assert Use("transactions", "other", "group") in plan.uses
    shares = compile_query(plan.sql, rooms.terms(), "0" * 64, "analyst", "mpc")
    assert Use("transactions", "other", "group") not in shares.uses
    leaks = Sheet.of(plan, rooms.terms()).leaks
    assert (
        "the whole histogram: how often each of 71 values of transactions.other occurs in each "
        "cell, over all owners: analyst"
    ) in leaks


def test_a_histogram_that_is_none_is_refused() -> None:
    plan = encrypted("SELECT MAX(level) FROM beta.claims")
    assert plan.ciphertexts.numbers == 1 + 10
    counts = np.array([3, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0])
    assert read(plan, counts).columns["x0_0"][0] == 2
    for wrong in (np.r_[4, counts[1:]], np.r_[3, 4, -1, counts[3:]]):
        with pytest.raises(PeerMisbehaved, match=r"the histogram of .* doesn't add up"):
            read(plan, wrong)


def test_a_total_that_may_not_fit_is_refused_with_its_bound() -> None:
    with pytest.raises(OverflowPossible, match=r"SUM\(.*may reach .*; 576460751229681664 is exact"):
        encrypted("SELECT SUM(amt * amt * other * cust) FROM transactions")


def test_what_one_contributor_encrypts_has_one_size(databases: Mapping[str, Database]) -> None:
    for where in ("cust > 1000", "cust >= 0"):
        plan = encrypted(f"SELECT channel, SUM(amt) FROM transactions WHERE {where} GROUP BY 1")
        sizes = {add_up(plan, owner, databases[owner], bytes(16)).size for owner in rooms.OWNERS}
        assert sizes == {4 * 2}


def test_totals_beyond_their_bounds_are_refused() -> None:
    plan = encrypted("SELECT COUNT(*) FROM transactions")
    assert read(plan, np.array([360])).columns["d0"][0] == 360
    with pytest.raises(PeerMisbehaved, match="declared bounds"):
        read(plan, np.array([361]))


def test_values_beyond_the_declared_ones_are_refused(databases: Mapping[str, Database]) -> None:
    plan = encrypted("SELECT state, COUNT(*) FROM alpha.people GROUP BY state")
    (key,) = plan.ciphertexts.keys
    small = replace(plan.ciphertexts, keys=(replace(key, size=2),))
    with pytest.raises(DataMismatch, match="beyond its declared ones"):
        add_up(replace(plan, ciphertexts=small), "alpha", databases["alpha"], bytes(16))


def test_how_a_plan_runs_is_part_of_its_hash() -> None:
    sql = "SELECT channel, COUNT(*) FROM transactions GROUP BY channel"
    shares = compile_query(sql, rooms.terms(), "0" * 64, "analyst", "mpc")
    assert (shares.protocol, encrypted(sql).protocol) == ("mpc", "he")
    assert shares.hash != encrypted(sql).hash
    assert encrypted(sql).hash == encrypted(sql).hash
