"""Row output: who may see it, what is opened for it, and what the sheet says of that."""

import pytest
import rooms

from cleanroom.contract.terms import Terms
from cleanroom.errors import JoinTooLarge
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
from cleanroom.plan.sheet import Sheet
from cleanroom.policy.check import by_contract
from cleanroom.policy.model import Code
from cleanroom.query import finish
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

P = "FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"


def plan_of(sql: str, agreed: Terms | None = None) -> Plan:
    return compile_query(sql, agreed or rooms.terms(), "0" * 64, "analyst")


def revealed(sql: str) -> set[str]:
    return {f"{u.table}.{u.column}" for u in plan_of(sql).uses if u.right == "reveal"}


REVEALED = {
    "SELECT name FROM alpha.people WHERE score > 3": {"alpha.people.name"},
    "SELECT upper(name) FROM alpha.people": {"alpha.people.name"},
    "SELECT CASE WHEN score > 3 THEN name END FROM alpha.people": {
        "alpha.people.score",
        "alpha.people.name",
    },
    f"SELECT p.name, c.kind {P}": {"alpha.people.name", "beta.claims.kind"},
    f"SELECT c.pid {P}": {"alpha.people.id", "beta.claims.pid"},
    f"SELECT c.kind {P} AND p.score + 1 = c.level WHERE c.level = 3 OR c.kind = 'car'": {
        "beta.claims.kind"
    },
    f"SELECT c.level {P} AND p.score + 1 = c.level": {"beta.claims.level", "alpha.people.score"},
    "SELECT c.pid FROM beta.claims c LEFT JOIN alpha.people p ON p.id = c.pid": {
        "alpha.people.id",
        "beta.claims.pid",
    },
    "SELECT pid FROM beta.claims WHERE pid NOT IN (SELECT mid FROM gamma.members)": {
        "beta.claims.pid",
        "gamma.members.mid",
    },
    "SELECT total FROM (SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust)": {
        "transactions.amt"
    },
}


@pytest.mark.parametrize("sql", REVEALED)
def test_what_is_shown_or_equal_to_it_needs_reveal(sql: str) -> None:
    assert revealed(sql) == REVEALED[sql]


def test_groups_and_distinct_rows_reveal_no_single_row() -> None:
    assert not revealed("SELECT DISTINCT name FROM alpha.people")
    assert not revealed(f"SELECT c.kind, COUNT(*) {P} GROUP BY 1")


def without_reveal(column: str) -> Terms:
    room = rooms.room()
    table, _, name = column.rpartition(".")
    rights = [r for r in rooms.RIGHTS["analyst"] if r != "reveal"]
    room["tables"][table]["columns"][name]["rights"] = {"analyst": rights}
    return Terms.of(room)


@pytest.mark.parametrize("column", ["alpha.people.id", "beta.claims.pid", "beta.claims.kind"])
def test_a_row_with_a_column_that_may_not_be_revealed_is_refused(column: str) -> None:
    agreed = without_reveal(column)
    found = by_contract(plan_of(f"SELECT p.id, c.kind {P}", agreed), agreed, agreed.room.expires)
    assert {v.code for v in found} == {Code.COLUMN_USE_NOT_ALLOWED}
    (violation,) = (v for v in found if column in v.message)
    assert "'reveal'" in violation.message


def test_a_row_is_a_group_of_one_person() -> None:
    agreed = rooms.terms(2)
    plan = plan_of("SELECT state FROM alpha.people", agreed)
    found = by_contract(plan, agreed, agreed.room.expires)
    assert [v.code for v in found] == [Code.ROWS_NOT_RELEASED]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    paths = rooms.write(tmp_path_factory.mktemp("rows"), rooms.rows())
    return {owner: Database(rooms.terms(), owner, paths[owner]) for owner in rooms.OWNERS}


def test_equal_rows_are_opened_once_with_their_number(databases: dict[str, Database]) -> None:
    plan = plan_of("SELECT channel FROM transactions")
    outcome = insecure_run(plan, databases)
    assert outcome.n == 4  # three channels and NULL, whatever owners hold how many of each
    assert sum(outcome.columns[str(plan.root.repeated)]) == 98
    assert finish.finish(plan, outcome.columns).num_rows == 98


@pytest.mark.parametrize("limit", [0, 1, 2, 17, 98, 99])
def test_no_more_rows_are_opened_than_the_limit(limit: int, databases: dict[str, Database]) -> None:
    plan = plan_of(f"SELECT channel FROM transactions ORDER BY channel LIMIT {limit}")
    outcome = insecure_run(plan, databases)
    assert sum(outcome.columns[str(plan.root.repeated)]) == min(limit, 98)


def test_too_many_rows_are_not_written_out(
    databases: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("SELECT channel FROM transactions")
    outcome = insecure_run(plan, databases)
    monkeypatch.setattr(finish, "MAX_ROWS", 97)
    with pytest.raises(JoinTooLarge, match="98 rows"):
        finish.finish(plan, outcome.columns)


def test_the_sheet_says_which_rows_are_opened() -> None:
    sql = f"SELECT p.name, c.amount {P} ORDER BY c.amount DESC LIMIT 5"
    agreed = rooms.terms(group_count="open")
    sheet = Sheet.of(plan_of(sql, agreed), agreed)
    assert any("alpha.people.name" in x for x in sheet.opened)
    assert any("how often the row occurs, for each different row" in x for x in sheet.opened)
    assert "keep the first 5 rows" in sheet.text
    assert "no other row is opened" in sheet.text
    assert "different rows" in "".join(sheet.leaks)


def test_the_bound_of_a_join_of_many_to_many_is_on_the_sheet() -> None:
    sql = "SELECT c.kind, m.points FROM beta.claims c JOIN gamma.members m ON c.name = m.city"
    sheet = Sheet.of(plan_of(sql), rooms.terms())
    assert any(leak.startswith("whether a join has more than") for leak in sheet.leaks)
