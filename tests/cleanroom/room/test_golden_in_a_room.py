"""Golden queries over real processes give what DuckDB gives on the pooled rows.

On shares one query of each set of steps is asked here; all of them are, in one process.
"""

from collections.abc import Iterator

import frames
import pytest
import rooms

from cleanroom import LocalRoom, col, count
from cleanroom.errors import UnknownName

GOLDEN = dict(rooms.golden())
CASES = [(title, "mpc") for title in rooms.of_each_shape()]
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


def test_frames_answer_as_the_pooled_rows_do(room: LocalRoom) -> None:
    pooled, cases = rooms.pooled(rooms.terms(), rooms.rows()), list(frames.cases(room))
    for frame, sql in (cases[i] for i in (2, 4, 6, 10)):  # conditions, joins, groups of groups
        got, expected = frame.collect(protocol="mpc").to_pandas(), pooled.sql(sql).df()
        ordered = rooms.is_ordered(sql)
        assert rooms.cells(got, ordered=ordered) == rooms.cells(expected, ordered=ordered), sql
    asked = room.table("transactions").group_by("channel").agg(n=count(), s=col("amt").sum())
    sheet = asked.explain(protocol="he")
    assert (sheet.accepted, sheet.text) == (True, room.explain(asked.sql(), protocol="he").text)
    got, expected = asked.collect(protocol="he").to_pandas(), pooled.sql(asked.sql()).df()
    assert rooms.cells(got, ordered=False) == rooms.cells(expected, ordered=False)


def test_a_table_that_is_not_there_is_named(room: LocalRoom) -> None:
    with pytest.raises(UnknownName, match=r"no table 'alpha\.person'"):
        room.table("alpha.person")
