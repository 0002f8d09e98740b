"""UNION ALL of subqueries: who stands behind a row of any branch, and which rights it needs."""

import duckdb
import pytest
import rooms

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.nodes import Union
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

ROWS = "SELECT id AS who, cost AS v FROM alpha.visits UNION ALL SELECT pid, amount FROM beta.claims"


@pytest.mark.parametrize("min_group", [2, 3, 5])
@pytest.mark.parametrize(
    ("sql", "person"),
    [
        (f"SELECT COUNT(*) FROM ({ROWS}) u GROUP BY who", "who"),
        (
            "SELECT s, COUNT(*) FROM (SELECT p.id AS who, c.kind AS s FROM alpha.people p JOIN"
            " beta.claims c ON p.id = c.pid UNION ALL SELECT cust, channel FROM transactions) u"
            " GROUP BY s",
            "who",
        ),
        (
            "SELECT n, COUNT(*) FROM (SELECT cust AS who, COUNT(*) AS n FROM transactions GROUP BY"
            " cust UNION ALL SELECT pid, level FROM beta.claims) u GROUP BY n",
            "who",
        ),
    ],
)
def test_equal_persons_of_different_branches_count_once(
    sql: str,
    person: str,
    min_group: int,
    databases: dict[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    plan = compile_query(sql, rooms.terms(min_group), "h", "analyst")
    outcome = insecure_run(plan, databases)
    groups = len(pooled.sql(sql).fetchall())
    large = len(pooled.sql(f"{sql} HAVING COUNT(DISTINCT {person}) >= {min_group}").fetchall())
    assert len(plan.root.input.persons) == 1
    assert (outcome.n, outcome.suppressed) == (large, groups - large)


@pytest.mark.parametrize(("min_group", "passes"), [(1, True), (2, False)])
def test_a_person_that_isn_t_selected_is_counted_too(
    min_group: int, passes: bool, databases: dict[str, Database]
) -> None:
    """Person 30 alone, in two branches, is one person."""
    sql = (
        "SELECT COUNT(*) FROM (SELECT kind AS k FROM beta.claims WHERE pid = 30 UNION ALL"
        " SELECT city FROM gamma.members WHERE mid = 30) u"
    )
    plan = compile_query(sql, rooms.terms(min_group), "h", "analyst")
    assert insecure_run(plan, databases).n == int(passes)


@pytest.mark.parametrize(
    "branch",
    [
        "SELECT p.id FROM alpha.people p JOIN beta.claims c ON p.name = c.name",
        "SELECT p.id FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid",
        "SELECT n FROM (SELECT channel, COUNT(*) AS n FROM transactions GROUP BY channel) t",
    ],
)
def test_a_branch_of_several_persons_is_refused(branch: str) -> None:
    sql = f"SELECT COUNT(*) FROM ({branch} UNION ALL SELECT cust FROM transactions) u"
    with pytest.raises(UnsupportedQuery, match="person"):
        compile_query(sql, rooms.terms(2), "h", "analyst")
    compile_query(sql, rooms.terms(1), "h", "analyst")


def test_a_use_of_a_union_s_column_is_one_of_every_branch() -> None:
    sql = f"SELECT SUM(v) FROM ({ROWS} WHERE level > 3) u WHERE who > 7"
    plan = compile_query(sql, rooms.terms(), "h", "analyst")
    assert {(use.table, use.column, use.right) for use in plan.uses} == {
        ("alpha.visits", "cost", "sum"),
        ("beta.claims", "amount", "sum"),
        ("beta.claims", "level", "filter"),
        ("alpha.visits", "id", "filter"),
        ("beta.claims", "pid", "filter"),
    }


def test_the_sheet_names_every_branch() -> None:
    plan = compile_query(f"SELECT SUM(v) FROM ({ROWS}) u", rooms.terms(3), "h", "analyst")
    assert isinstance(plan.root.input.input.input.input, Union)
    text = Sheet.of(plan, rooms.terms(3)).text
    assert "union of these 2 results" in text
    assert "FROM alpha.visits" in text
    assert "FROM beta.claims" in text
