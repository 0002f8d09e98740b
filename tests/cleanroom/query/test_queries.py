"""Compiled plans give what DuckDB gives on the pooled rows, for every query of queries.sql."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.query.frame import as_pandas
from cleanroom.sources.database import Database

GOLDEN = dict(rooms.golden())


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    paths = rooms.write(tmp_path_factory.mktemp("rows"), rooms.rows())
    agreed = rooms.terms()
    return {owner: Database(agreed, owner, paths[owner]) for owner in rooms.OWNERS}


@pytest.fixture(scope="module")
def everything() -> duckdb.DuckDBPyConnection:
    return rooms.pooled(rooms.terms(), rooms.rows())


def answer(sql: str, agreed: Terms, databases: Mapping[str, Database]) -> Any:
    plan = compile_query(sql, agreed, "0" * 64, "analyst")
    return as_pandas(finish(plan, insecure_run(plan, databases).columns))


@pytest.mark.parametrize("title", GOLDEN)
def test_golden(
    title: str, databases: dict[str, Database], everything: duckdb.DuckDBPyConnection
) -> None:
    sql = GOLDEN[title]
    expected = everything.sql(sql).df()
    got = answer(sql, rooms.terms(), databases)
    ordered = rooms.is_ordered(sql)
    named = [(a, b) for a, b in zip(got.columns, expected.columns, strict=True) if "(" not in b]
    assert all(a == b for a, b in named)
    assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered)


def test_there_are_enough_golden_queries() -> None:
    assert len(GOLDEN) >= 60
