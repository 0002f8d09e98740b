"""The queries of the relational MPC papers, on shares, give DuckDB's answer on the pooled rows."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import published
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom import LocalRoom
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.sources.database import Database

QUERIES = dict(published.queries())
COUNTED = tuple(title for title in QUERIES if not title.endswith("min_group 1)"))
CASES = [*((title, 1) for title in QUERIES), *((title, 2) for title in COUNTED)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Path]]:
    return rooms.write(tmp_path_factory.mktemp("rows"), published.rows())


@pytest.fixture(scope="module")
def databases(paths: Mapping[str, Mapping[str, Path]]) -> dict[str, Database]:
    return {owner: Database(published.terms(1), owner, paths[owner]) for owner in rooms.OWNERS}


@pytest.fixture(scope="module")
def pooled() -> duckdb.DuckDBPyConnection:
    return rooms.pooled(published.terms(1), published.rows())


@pytest.mark.parametrize(("title", "min_group"), CASES)
def test_on_shares(
    title: str,
    min_group: int,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    sql = QUERIES[title]
    expected = pooled.sql(sql).df()
    plan = compile_query(sql, published.terms(min_group), "0" * 64, "analyst")
    opened = run_on_shares(plan, databases)
    got, ordered = as_pandas(finish(plan, opened.columns)), rooms.is_ordered(sql)
    assert len(expected) > 0
    assert min_group > 1 or opened.suppressed == 0
    assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered)


@pytest.mark.parametrize("title", [t for t in QUERIES if t.startswith("recurrent")])
def test_in_a_room_of_processes(
    title: str, paths: Mapping[str, Mapping[str, Path]], pooled: duckdb.DuckDBPyConnection
) -> None:
    data = {
        table: {owner: paths[owner][table] for owner in rooms.OWNERS} for table in published.rows()
    }
    with LocalRoom(published.contract(1), data) as room:
        got = room.sql(QUERIES[title]).to_pandas()
    expected = pooled.sql(QUERIES[title]).df()
    assert rooms.cells(got, ordered=False) == rooms.cells(expected, ordered=False)
