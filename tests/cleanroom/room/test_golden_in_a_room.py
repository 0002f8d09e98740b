"""Every golden query over real processes gives what DuckDB gives on the pooled rows."""

from collections.abc import Iterator

import pytest
import rooms

from cleanroom import LocalRoom

GOLDEN = dict(rooms.golden())
CASES = [(title, "mpc") for title in GOLDEN]
CASES += [(title, "he") for title, _ in rooms.on_ciphertexts()]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRoom]:
    with LocalRoom(rooms.room(), rooms.given(tmp_path_factory.mktemp("rows"))) as opened:
        yield opened


@pytest.mark.parametrize(("title", "protocol"), CASES)
def test_golden(title: str, protocol: str, room: LocalRoom) -> None:
    sql = GOLDEN[title]
    expected = rooms.pooled(rooms.terms(), rooms.rows()).sql(sql).df()
    result = room.sql(sql, protocol=protocol)
    ordered = rooms.is_ordered(sql)
    assert rooms.cells(result.to_pandas(), ordered=ordered) == rooms.cells(
        expected, ordered=ordered
    )
    assert (result.stats.rounds == 0) == (protocol == "he")
