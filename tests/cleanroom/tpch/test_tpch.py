"""The 22 queries of TPC-H on shares give DuckDB's answers on the pooled rows.

All run in memory, a few of them in a room of real processes too. Decimals, counts, dates and
texts must be equal, and stand in the same order; quotients, which both sides compute in floating
point, to twelve digits. `--durations=0` says how long each takes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import tpch
from in_memory import run_on_shares

from cleanroom import LocalRoom
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

SCALE = 0.01
TERMS = tpch.terms(SCALE)
QUERIES = tpch.queries()
IN_A_ROOM = (2, 5, 11, 15, 17, 20, 22)  # row output, joins, and each kind of subquery


@dataclass(frozen=True, slots=True)
class Data:
    paths: dict[str, dict[str, Path]]
    everything: duckdb.DuckDBPyConnection

    def check(self, number: int, got: Any) -> None:
        """Compare an answer with DuckDB's."""
        expected = self.everything.sql(QUERIES[number]).to_arrow_table()
        assert got.column_names == expected.column_names
        assert got.num_rows == expected.num_rows > 0
        for mine, theirs in zip(rows(got), rows(expected), strict=True):
            assert all(map(same, mine, theirs)), (mine, theirs)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    folder = tmp_path_factory.mktemp("tpch")
    tpch.generate(folder, SCALE)
    with tpch.pooled(folder, TERMS) as everything:
        yield Data(tpch.divide(folder), everything)


@pytest.fixture(scope="module")
def databases(data: Data) -> Iterator[dict[str, Database]]:
    opened = {owner: Database(TERMS, owner, data.paths[owner]) for owner in tpch.OWNERS}
    yield opened
    for database in opened.values():
        database.close()


@pytest.fixture(scope="module")
def local_room(data: Data) -> Iterator[LocalRoom]:
    given: dict[str, Any] = {}
    for owner, tables in data.paths.items():
        for table, path in tables.items():
            if "." in table:
                given[table] = path
            else:
                given.setdefault(table, {})[owner] = path
    with LocalRoom(tpch.room(SCALE), given) as room:
        yield room


def rows(answer: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in answer.to_pylist()]


def same(got: Any, expected: Any) -> bool:
    if isinstance(got, float) and isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=1e-12)
    return bool(got == expected)


@pytest.mark.parametrize("number", QUERIES)
def test_answer(number: int, data: Data, databases: dict[str, Database]) -> None:
    plan = compile_query(QUERIES[number], TERMS, "0" * 64, "analyst")
    data.check(number, finish(plan, run_on_shares(plan, databases).columns))


@pytest.mark.parametrize("number", IN_A_ROOM)
def test_answer_in_a_room(number: int, data: Data, local_room: LocalRoom) -> None:
    data.check(number, local_room.sql(QUERIES[number]).to_arrow())


def test_no_query_is_left_out() -> None:
    assert list(QUERIES) == list(range(1, 23))
