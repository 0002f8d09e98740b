"""Groups of fewer than min_group distinct persons are counted and never opened."""


import duckdb
import pytest
import rooms

from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

CLAIMS = "FROM alpha.people p JOIN beta.claims c ON p.id = c.pid"
BY_NAME = "FROM alpha.people p JOIN beta.claims c ON p.name = c.name"
OF_ONE = "p.income > (SELECT SUM(t.amt) FROM transactions t WHERE t.cust = "
INNER = "(SELECT cust, channel AS c, COUNT(*) AS n FROM transactions GROUP BY 1, 2)"
FLOWS = "FROM transactions a JOIN transactions b ON a.other = b.cust"
# query: its persons, as DuckDB would count them, and how many classes of persons there are
CASES = {
    "SELECT name, COUNT(*) AS n FROM alpha.people GROUP BY name": (["id"], 1),
    "SELECT code, state, COUNT(*) AS n FROM alpha.people GROUP BY code, state": (["id"], 1),
    "SELECT channel, month(booked) AS m, SUM(amt) AS n FROM transactions GROUP BY 1, 2": (
        ["cust"],
        1,
    ),
    f"SELECT p.state, c.kind, COUNT(*) AS n {CLAIMS} GROUP BY 1, 2": (["p.id"], 1),
    f"SELECT p.name, c.kind, COUNT(*) AS n {BY_NAME} GROUP BY 1, 2": (["p.id", "c.pid"], 2),
    f"SELECT a.channel, month(b.booked) AS m, COUNT(*) AS n {FLOWS} GROUP BY 1, 2": (
        ["a.cust", "b.cust"],
        2,
    ),
    f"SELECT p.state, c.level, COUNT(*) AS n {CLAIMS} WHERE p.income > c.amount GROUP BY 1, 2": (
        ["p.id"],
        1,
    ),
    f"SELECT COUNT(*) AS n {CLAIMS} WHERE p.score = 3": (["p.id"], 1),
    f"SELECT c, t.n, COUNT(*) AS r FROM {INNER} t GROUP BY c, t.n": (["cust"], 1),
    f"SELECT t.n, p.state, SUM(t.n) AS r FROM {INNER} t JOIN alpha.people p ON p.id = cust "
    "GROUP BY 1, 2": (["cust"], 1),
    f"SELECT t.n, p.name FROM {INNER} t JOIN beta.claims p ON t.n = p.level GROUP BY 1, 2": (
        ["cust", "pid"],
        2,
    ),
    f"SELECT p.state, COUNT(*) AS n FROM alpha.people p WHERE {OF_ONE} p.id) GROUP BY p.state": (
        ["p.id"],
        1,
    ),
    f"SELECT p.state, COUNT(*) AS n FROM alpha.people p WHERE {OF_ONE} p.score) GROUP BY p.state": (
        ["p.id", "p.score"],
        2,
    ),
    f"SELECT p.state, COUNT(*) AS n FROM alpha.people p WHERE {OF_ONE} p.id * 0 + 7) GROUP BY 1": (
        ["p.id", "p.id * 0"],
        2,
    ),
    "SELECT code, COUNT(*) AS n FROM alpha.people WHERE id IN (SELECT cust FROM transactions"
    " GROUP BY cust HAVING COUNT(*) > 2) GROUP BY code": (["id"], 1),
    "SELECT p.code, COUNT(*) AS n FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims c"
    " WHERE c.pid = p.id AND c.amount > p.income) GROUP BY p.code": (["p.id"], 1),
    "SELECT state, COUNT(*) AS n FROM alpha.people WHERE id IN (SELECT pid FROM beta.claims)"
    " GROUP BY state": (["id"], 1),
    "SELECT state, COUNT(*) AS n FROM alpha.people WHERE id NOT IN (SELECT pid FROM beta.claims)"
    " GROUP BY state": (["id"], 1),
    "SELECT c.level, COUNT(*) AS n FROM beta.claims c WHERE EXISTS (SELECT 1 FROM alpha.people p"
    " WHERE p.id = c.pid AND p.active) GROUP BY c.level": (["c.pid"], 1),
}
# query: persons that must be there, and those that may all be missing
OPTIONAL = {
    "SELECT p.state, COUNT(*) AS n FROM alpha.people p LEFT JOIN"
    " (SELECT * FROM beta.claims WHERE level > 7) c ON p.id = c.pid GROUP BY p.state": (
        ["p.id"],
        ["c.pid"],
    ),
    "SELECT c.kind, p.active, COUNT(*) AS n FROM alpha.people p LEFT JOIN beta.claims c"
    " ON p.id = c.pid AND c.level > 5 GROUP BY c.kind, p.active": (["p.id"], ["c.pid"]),
    "SELECT c.kind, p.state, COUNT(*) AS n FROM beta.claims c LEFT JOIN alpha.people p"
    " ON p.name = c.name GROUP BY c.kind, p.state": (["c.pid"], ["p.id"]),
    "SELECT p.code, c.level, COUNT(*) AS n FROM alpha.people p FULL JOIN beta.claims c"
    " ON p.id = c.pid GROUP BY p.code, c.level": ([], ["p.id", "c.pid"]),
    "SELECT p.state, COUNT(*) AS n FROM alpha.people p LEFT JOIN alpha.visits v"
    " ON p.id = v.id AND v.cost > 4000 GROUP BY p.state": (["p.id"], ["v.id"]),
    f"SELECT p.code, COUNT(*) AS n FROM alpha.people p WHERE p.score > 0 OR {OF_ONE} p.id)"
    " GROUP BY p.code": (
        ["p.id"],
        ["CASE WHEN p.id IN (SELECT cust FROM transactions) THEN p.id END"],
    ),
    "SELECT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id) AS has, p.code, COUNT(*) AS n"
    " FROM alpha.people p GROUP BY 1, 2": (
        ["p.id"],
        ["CASE WHEN p.id IN (SELECT pid FROM beta.claims) THEN p.id END"],
    ),
    "SELECT COUNT(*) AS n FROM (SELECT * FROM alpha.people WHERE id > 1000) p FULL JOIN"
    " (SELECT * FROM beta.claims WHERE level > 100) c ON p.id = c.pid": ([], ["p.id", "c.pid"]),
}


@pytest.mark.parametrize("min_group", [2, 3, 5])
@pytest.mark.parametrize("sql", CASES, ids=lambda sql: sql[:60])
def test_only_large_groups_pass(
    sql: str,
    min_group: int,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    persons, n_classes = CASES[sql]
    plan = compile_query(sql, rooms.terms(min_group), "h", "analyst")
    outcome = insecure_run(plan, databases)
    groups = len(pooled.sql(sql).fetchall())
    enough = " AND ".join(f"COUNT(DISTINCT {person}) >= {min_group}" for person in persons)
    large = len(pooled.sql(f"{sql} HAVING {enough}").fetchall())
    assert len(plan.root.input.persons) == n_classes
    assert (outcome.n, outcome.suppressed) == (large, groups - large)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*), SUM(CASE WHEN id = 7 THEN income END) FROM alpha.people",
        "SELECT COUNT(*), SUM(CASE WHEN id = 7 THEN score ELSE 0 END) FROM alpha.people",
        "SELECT COUNT(*), SUM(income) FILTER (WHERE id < 3) FROM alpha.people",
        "SELECT COUNT(*), COUNT(CASE WHEN id < 3 THEN 1 END) FROM alpha.people",
        "SELECT COUNT(*), MAX(CASE WHEN id = 7 THEN income END) FROM alpha.people",
        "SELECT COUNT(*) FROM alpha.people HAVING SUM(CASE WHEN id = 7 THEN income END) > 0",
        "SELECT COUNT(*), SUM(CASE WHEN id IN (SELECT pid FROM beta.claims WHERE pid < 22) "
        "THEN income END) FROM alpha.people",
        f"SELECT COUNT(*), SUM(p.score * (c.level - c.level)) {CLAIMS}",
        f"SELECT COUNT(*), SUM(CASE WHEN p.id < 22 THEN c.amount END) {CLAIMS}",
        "SELECT COUNT(*), SUM(c.amount) FROM alpha.people p LEFT JOIN"
        " (SELECT * FROM beta.claims WHERE pid = 30) c ON p.id = c.pid",
        "SELECT COUNT(*), SUM(c.amount) FROM alpha.people p LEFT JOIN"
        " (SELECT * FROM beta.claims WHERE pid = 1000) c ON p.id = c.pid",
    ],
)
def test_a_value_behind_which_few_persons_stand_isn_t_opened(
    sql: str, databases: dict[str, Database]
) -> None:
    """The group is large, but one of its values rests on fewer than min_group persons."""
    plan = compile_query(sql, rooms.terms(5), "h", "analyst")
    outcome = insecure_run(plan, databases)
    assert (outcome.n, outcome.suppressed) == (0, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*), SUM(income), AVG(score), MIN(income) FROM alpha.people",
        "SELECT COUNT(*), SUM(CASE WHEN id < 30 THEN score END) FROM alpha.people",
        f"SELECT COUNT(*), SUM(p.score * c.level), SUM(c.amount) {CLAIMS}",
    ],
)
def test_values_of_enough_persons_are_opened(sql: str, databases: dict[str, Database]) -> None:
    plan = compile_query(sql, rooms.terms(5), "h", "analyst")
    outcome = insecure_run(plan, databases)
    assert (outcome.n, outcome.suppressed) == (1, 0)


@pytest.mark.parametrize("min_group", [2, 3, 5])
@pytest.mark.parametrize("sql", OPTIONAL, ids=lambda sql: sql[:60])
def test_a_side_that_is_missing_has_no_persons(
    sql: str,
    min_group: int,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    """A side of an outer join passes with none of its persons in a group, or with enough."""
    there, maybe = OPTIONAL[sql]
    plan = compile_query(sql, rooms.terms(min_group), "h", "analyst")
    outcome = insecure_run(plan, databases)
    tests = [f"COUNT(DISTINCT {person}) >= {min_group}" for person in there]
    tests += [f"COUNT(DISTINCT {person}) NOT BETWEEN 1 AND {min_group - 1}" for person in maybe]
    tests.append(f"greatest({', '.join(f'COUNT(DISTINCT {x})' for x in (*there, *maybe))}) > 0")
    groups = len(pooled.sql(sql).fetchall())
    large = len(pooled.sql(f"{sql} HAVING {' AND '.join(tests)}").fetchall())
    assert len(plan.root.optional) == len(maybe)
    assert (outcome.n, outcome.suppressed) == (large, groups - large)


def test_a_tested_side_counts_one_person_a_key(databases: dict[str, Database]) -> None:
    """One person behind a tested key can't hide in a group of many others."""
    sql = (
        "SELECT COUNT(*) FROM alpha.people WHERE name IN "
        "(SELECT name FROM beta.claims WHERE pid = {pid})"
    )
    plan = compile_query(sql.format(pid=30), rooms.terms(2), "h", "analyst")
    assert len(plan.root.input.persons) == 2
    assert insecure_run(plan, databases).n == 0


def test_without_min_group_no_person_column_is_shared() -> None:
    sql = "SELECT name, COUNT(*) FROM alpha.people GROUP BY name"
    (one,) = compile_query(sql, rooms.terms(1), "h", "analyst").leaves
    (three,) = compile_query(sql, rooms.terms(3), "h", "analyst").leaves
    assert len(one.bits) == 1
    assert len(three.bits) == 2
    assert '"t0"."id"' not in one.sql


def test_the_sheet_lists_what_is_opened_and_what_leaks() -> None:
    sql = f"SELECT p.state, AVG(c.amount) {CLAIMS} GROUP BY p.state"
    terms = rooms.terms(3)
    plan = compile_query(sql, terms, "h", "analyst")
    sheet = Sheet.of(plan, terms)
    assert str(sheet) == sheet.text
    assert sheet.plan_hash == plan.hash
    assert len(sheet.opened) == len(plan.root.opened) == 3
    assert any("SUM(beta.claims.amount)" in line for line in sheet.opened)
    assert any("COUNT(beta.claims.amount)" in line for line in sheet.opened)
    assert any("withheld groups" in line for line in sheet.leaks)
    assert all(f"{leaf.member}, up to {leaf.max_rows} rows" in sheet.text for leaf in plan.leaves)
    assert "FROM beta.claims" in sheet.text
    assert sheet.cost.rows > 0
    assert sheet.cost.bytes_per_party > 0


def test_uses_name_every_column_and_right() -> None:
    sql = (
        f"SELECT p.state, SUM(CASE WHEN c.level > 3 THEN c.amount END), COUNT(p.score) {CLAIMS} "
        "WHERE p.income > c.amount AND p.born < '1990-01-01' GROUP BY p.state"
    )
    uses = {(u.table, u.column, u.right) for u in compile_query(sql, rooms.terms(), "h", "a").uses}
    assert uses == {
        ("alpha.people", "state", "group"),
        ("alpha.people", "id", "join"),
        ("beta.claims", "pid", "join"),
        ("beta.claims", "level", "filter"),
        ("beta.claims", "amount", "sum"),
        ("alpha.people", "score", "count"),
        ("alpha.people", "income", "compare"),
        ("beta.claims", "amount", "compare"),
        ("alpha.people", "born", "filter"),
    }


def test_statistics_need_the_rights_that_they_imply() -> None:
    sql = (
        "SELECT COUNT(DISTINCT score), SUM(DISTINCT id), MEDIAN(income), STDDEV(score), "
        "QUANTILE_DISC(born, 0.5), CORR(income, id) FROM alpha.people"
    )
    uses = {(u.column, u.right) for u in compile_query(sql, rooms.terms(), "h", "a").uses}
    assert uses == {
        ("score", "count"),
        ("score", "sum"),
        ("id", "sum"),
        ("id", "count"),
        ("income", "quantile"),
        ("income", "sum"),
        ("income", "count"),
        ("born", "quantile"),
    }


def test_the_sheet_states_power_sums_and_quantiles() -> None:
    sql = "SELECT VARIANCE(score), MEDIAN(income), COUNT(DISTINCT name) FROM alpha.people"
    sheet = Sheet.of(compile_query(sql, rooms.terms(3), "h", "analyst"), rooms.terms(3))
    for opened in ("SUM(alpha.people.score * alpha.people.score)", "2 * MEDIAN", "DISTINCT"):
        assert any(opened in line for line in sheet.opened)
    assert "at rank 1/2" in sheet.text


@pytest.mark.parametrize("limit", [1, 3, 64, 1000])
def test_only_the_first_groups_are_opened(
    limit: int, databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    sql = "SELECT channel, month(booked) AS m, SUM(amt) AS s FROM transactions GROUP BY 1, 2"
    top = f"{sql} ORDER BY s DESC, channel LIMIT {limit}"
    plan = compile_query(top, rooms.terms(2), "h", "analyst")
    outcome = insecure_run(plan, databases)
    large = len(pooled.sql(f"{sql} HAVING COUNT(DISTINCT cust) > 1").fetchall())
    assert plan.root.top is not None
    assert outcome.n == min(limit, large)
    assert f"the first {limit} groups" in str(Sheet.of(plan, rooms.terms(2)))


def test_an_order_by_an_average_opens_all_groups() -> None:
    sql = "SELECT cust, AVG(amt) FROM transactions GROUP BY cust ORDER BY 2 LIMIT 3"
    assert compile_query(sql, rooms.terms(), "h", "analyst").root.top is None


def test_a_use_of_an_inner_aggregate_is_one_of_its_columns() -> None:
    sql = (
        "SELECT top, SUM(total) FROM (SELECT cust, MAX(other) AS top, SUM(amt) AS total, COUNT(*) "
        "AS n FROM transactions GROUP BY cust HAVING COUNT(channel) > 1) WHERE n > 1 GROUP BY top"
    )
    uses = {(u.column, u.right) for u in compile_query(sql, rooms.terms(), "h", "a").uses}
    assert uses == {
        ("cust", "group"),
        ("other", "max"),
        ("other", "group"),
        ("amt", "sum"),
        ("channel", "count"),
        ("channel", "filter"),
    }


def test_a_group_of_one_row_is_no_way_around_a_right() -> None:
    sql = "SELECT s, COUNT(*) FROM (SELECT id, SUM(income) AS s FROM alpha.people GROUP BY id) "
    plan = compile_query(sql + "GROUP BY s", rooms.terms(), "h", "a")
    assert ("income", "group") in {(u.column, u.right) for u in plan.uses}


def test_the_sheet_says_that_inner_groups_stay_secret() -> None:
    inner = "SELECT cust, COUNT(*) AS n FROM transactions GROUP BY 1"
    sql = f"SELECT n, COUNT(*) FROM ({inner}) GROUP BY 1"
    sheet = Sheet.of(compile_query(sql, rooms.terms(3), "h", "analyst"), rooms.terms(3))
    assert "never opened" in sheet.text
    assert len(sheet.opened) == 2
