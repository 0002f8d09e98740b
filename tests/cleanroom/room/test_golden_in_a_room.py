"""Every golden query over real processes gives what DuckDB gives on the pooled rows."""

from collections.abc import Iterator

import pytest
import rooms

from cleanroom import LocalRoom

GOLDEN = dict(rooms.golden())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRoom]:
    paths = rooms.write(tmp_path_factory.mktemp("rows"), rooms.rows())
    agreed = rooms.room()
    data = {
        table: {owner: paths[owner][table] for owner in rooms.OWNERS}
        if "members" in terms
        else paths[table.partition(".")[0]][table]
        for table, terms in agreed["tables"].items()
    }
    with LocalRoom(agreed, data) as opened:
        yield opened


@pytest.mark.parametrize("title", GOLDEN)
def test_golden(title: str, room: LocalRoom) -> None:
    sql = GOLDEN[title]
    expected = rooms.pooled(rooms.terms(), rooms.rows()).sql(sql).df()
    got = room.sql(sql).to_pandas()
    ordered = rooms.is_ordered(sql)
    assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered)
