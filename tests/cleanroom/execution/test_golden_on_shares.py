"""Every golden query on shares, in memory, gives what DuckDB gives on the pooled rows."""

import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

GOLDEN = dict(rooms.golden())
WITHOUT_PERSONS = tuple(title for title in GOLDEN if title.endswith("(min_group 1)"))
CASES = [(t, m, "hidden") for t in GOLDEN for m in (1, 3) if m == 1 or t not in WITHOUT_PERSONS]
CHOSEN = ("HAVING", "LIMIT", "LEFT", "DISTINCT")  # what decides how many groups there are
CASES += [(t, 1, "open") for t, sql in GOLDEN.items() if any(word in sql for word in CHOSEN)]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    paths = rooms.write(tmp_path_factory.mktemp("rows"), rooms.rows())
    return {owner: Database(rooms.terms(), owner, paths[owner]) for owner in rooms.OWNERS}


@pytest.mark.parametrize(("title", "min_group", "count"), CASES)
def test_golden(title: str, min_group: int, count: str, databases: dict[str, Database]) -> None:
    agreed = rooms.terms(min_group, group_count=count)
    plan = compile_query(GOLDEN[title], agreed, "0" * 64, "analyst")
    opened = run_on_shares(plan, databases)
    clear = insecure_run(plan, databases)
    assert opened.suppressed == clear.suppressed
    got, expected = finish(plan, opened.columns), finish(plan, clear.columns)
    assert got.schema == expected.schema
    assert sorted(map(str, got.to_pylist())) == sorted(map(str, expected.to_pylist()))


@pytest.mark.parametrize("title", WITHOUT_PERSONS)
def test_inner_groups_of_unknown_persons_are_refused(title: str) -> None:
    with pytest.raises(UnsupportedQuery, match="doesn't name the person"):
        compile_query(GOLDEN[title], rooms.terms(3), "0" * 64, "analyst")
