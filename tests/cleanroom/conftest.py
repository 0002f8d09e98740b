"""The golden rows at their owners, and pooled."""

import duckdb
import pytest
import rooms

from cleanroom.sources.database import Database


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    paths = rooms.write(tmp_path_factory.mktemp("rows"), rooms.rows())
    return {owner: Database(rooms.terms(), owner, paths[owner]) for owner in rooms.OWNERS}


@pytest.fixture(scope="module")
def pooled() -> duckdb.DuckDBPyConnection:
    return rooms.pooled(rooms.terms(), rooms.rows())
