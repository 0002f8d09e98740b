"""Frames asked in a room of processes give what DuckDB gives on the pooled rows."""

from collections.abc import Iterator

import duckdb
import frames
import pytest
import rooms

from cleanroom import LocalRoom, col, count
from cleanroom.errors import UnknownName

ASKED = (2, 4, 6, 10)  # of the cases: conditions, joins, computed columns, groups of groups


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRoom]:
    with LocalRoom(rooms.room(), rooms.given(tmp_path_factory.mktemp("rows"))) as opened:
        yield opened


def test_frames_answer_as_the_pooled_rows_do(
    room: LocalRoom, pooled: duckdb.DuckDBPyConnection
) -> None:
    cases = list(frames.cases(room))
    for frame, sql in (cases[i] for i in ASKED):
        expected, ordered = pooled.sql(sql).df(), rooms.is_ordered(sql)
        got = frame.collect(protocol="mpc").to_pandas()
        assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered), sql


def test_a_frame_is_explained_and_asked_like_its_text(
    room: LocalRoom, pooled: duckdb.DuckDBPyConnection
) -> None:
    frame = room.table("transactions").group_by("channel").agg(n=count(), s=col("amt").sum())
    sheet, of_text = frame.explain(protocol="he"), room.explain(frame.sql(), protocol="he")
    assert sheet.accepted
    assert sheet.text == of_text.text
    result = frame.collect(protocol="he")
    expected = pooled.sql(frame.sql()).df()
    assert rooms.cells(result.to_pandas(), ordered=False) == rooms.cells(expected, ordered=False)


def test_a_table_that_is_not_there_is_named(room: LocalRoom) -> None:
    with pytest.raises(UnknownName, match=r"no table 'alpha\.person'"):
        room.table("alpha.person")
