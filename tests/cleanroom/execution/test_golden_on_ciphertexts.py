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
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
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
    assert len(FITTING) >= 60


REFUSED = {
    "SELECT state, MIN(born) FROM alpha.people GROUP BY state": "MIN with protocol 'he'",
    "SELECT COUNT(DISTINCT cust) FROM transactions": "COUNT of DISTINCT values with",
    "SELECT MEDIAN(amt) FROM transactions": "950001 cells with 1 totals",
    "SELECT MEDIAN(other), MEDIAN(cust) FROM transactions": "quantiles of several columns",
    "SELECT QUANTILE_DISC(name, 0.5) FROM alpha.people": "cells by alpha.people.name",
    "SELECT id, state FROM alpha.people": "rows without GROUP BY",
    "SELECT name, COUNT(*) FROM alpha.people GROUP BY name": "Declare its values in the contract",
    "SELECT booked, COUNT(*) FROM transactions GROUP BY booked": "524288 totals at most",
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid": "between owners",
    "SELECT COUNT(*) FROM alpha.people WHERE id IN (SELECT pid FROM beta.claims)": "between owners",
    "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) t"
    " GROUP BY n": "aggregation inside another query",
    "SELECT state FROM alpha.people GROUP BY state HAVING MAX(score) > 3": "MAX with",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_does_not_follow_from_sums_is_refused_by_name(sql: str) -> None:
    with pytest.raises(UnsupportedQuery) as caught:
        encrypted(sql)
    assert REFUSED[sql] in str(caught.value)
    assert "Ask with protocol 'mpc'" in caught.value.remedy


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
