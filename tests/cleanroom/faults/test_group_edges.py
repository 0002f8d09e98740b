"""F53: one person fewer than min_group, exactly as many, one more; and one person in many rows."""

from pathlib import Path

import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.contract.terms import Terms
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

MIN_GROUP = 10
PERSONS = {"a": MIN_GROUP - 1, "b": MIN_GROUP, "c": MIN_GROUP + 1, "d": 1, "e": 2}
ROWS_EACH = {"a": 3, "b": 1, "c": 2, "d": 40, "e": 30}


@pytest.fixture(scope="module")
def terms() -> Terms:
    room = rooms.room(min_group=MIN_GROUP)
    column = {"type": "INTEGER", "bounds": [0, 100], "rights": rooms.RIGHTS}
    kind = {"type": "TEXT", "values": list(PERSONS), "rights": rooms.RIGHTS}
    columns = {"id": column, "kind": kind, "n": column}
    table = {"members": list(rooms.OWNERS), "person": "id", "max_rows": 256, "columns": columns}
    room["tables"] = {"parts": table}
    return Terms.of(room)


@pytest.fixture(scope="module")
def databases(terms: Terms, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    """Return owners that hold rows of the same persons: who is at all three is one person."""
    folder: Path = tmp_path_factory.mktemp("edges")
    found = {}
    for place, owner in enumerate(rooms.OWNERS):
        lines = [
            f"{person},{kind},1"
            for kind, persons in PERSONS.items()
            for person in range(persons)
            for row in range(ROWS_EACH[kind])
            if row % 3 == place or ROWS_EACH[kind] == 1
        ]
        path = folder / f"{owner}.csv"
        path.write_text("\n".join(["id,kind,n", *lines]) + "\n")
        found[owner] = Database(terms, owner, {"parts": path})
    return found


def test_persons_decide_and_not_rows(terms: Terms, databases: dict[str, Database]) -> None:
    sql = "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT id) AS p FROM parts GROUP BY kind"
    plan = compile_query(sql, terms, "h", "analyst")
    opened = run_on_shares(plan, databases)
    found = finish(plan, opened.columns).to_pydict()
    assert dict(zip(found["kind"], found["p"], strict=True)) == {"b": 10, "c": 11}
    assert dict(zip(found["kind"], found["n"], strict=True)) == {"b": 30, "c": 22}
    assert opened.suppressed == 3
