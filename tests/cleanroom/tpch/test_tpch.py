"""The 22 queries of TPC-H on shares, in memory, give DuckDB's answers on the pooled rows.

Decimals, counts, dates and texts must be equal, and stand in the same order; quotients, which
both sides compute in floating point, to twelve digits. `--durations=0` says how long each takes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import tpch
from in_memory import run_on_shares

from cleanroom.contract.terms import Terms
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

SCALE = 0.01
QUERIES = tpch.queries()


@dataclass(frozen=True, slots=True)
class Room:
    terms: Terms
    databases: Mapping[str, Database]
    everything: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    folder: Path = tmp_path_factory.mktemp("tpch")
    tpch.generate(folder, SCALE)
    agreed = tpch.terms(SCALE)
    paths = tpch.divide(folder)
    databases = {owner: Database(agreed, owner, paths[owner]) for owner in tpch.OWNERS}
    return Room(agreed, databases, tpch.pooled(folder, agreed))


def rows(answer: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in answer.to_pylist()]


def same(got: Any, expected: Any) -> bool:
    if isinstance(got, float) and isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=1e-12)
    return bool(got == expected)


@pytest.mark.parametrize("number", QUERIES)
def test_answer(number: int, room: Room) -> None:
    sql = QUERIES[number]
    expected = room.everything.sql(sql).to_arrow_table()
    plan = compile_query(sql, room.terms, "0" * 64, "analyst")
    got = finish(plan, run_on_shares(plan, room.databases).columns)
    assert got.column_names == expected.column_names
    assert got.num_rows == expected.num_rows > 0
    for mine, theirs in zip(rows(got), rows(expected), strict=True):
        assert all(map(same, mine, theirs)), (mine, theirs)


def test_no_query_is_left_out() -> None:
    assert list(QUERIES) == list(range(1, 23))
