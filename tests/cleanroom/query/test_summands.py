"""Neither a constant nor a second column opens the sum of a column that few persons have."""

from decimal import Decimal
from pathlib import Path

import pytest
import rooms

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database

BOTH = "FROM alpha.people p JOIN alpha.visits v ON p.id = v.id"
OWNERS = "FROM alpha.people p JOIN gamma.members m ON p.id = m.mid"
LIMITS = {"top_two": 90, "p_percent": 10}


def opened(folder: Path, sql: str, min_group: int = 5, **privacy: object) -> int:
    """Return whether the one group is opened where a single person has an income, others 0."""
    agreed, data = rooms.terms(min_group, **privacy), rooms.rows()
    people = data["alpha.people"]
    assert isinstance(people, list)
    for row in people:
        row["income"] = Decimal("77777.77") if row["id"] == 24 else Decimal("0.00")
    paths = rooms.write(folder, data)
    databases = {owner: Database(agreed, owner, paths[owner]) for owner in rooms.OWNERS}
    plan = compile_query(sql, agreed, "h", "analyst")
    return insecure_run(plan, databases).n


@pytest.mark.parametrize(
    "select",
    [
        "SUM(income + 1), COUNT(*) FROM alpha.people",
        "SUM(1 - 2 * income) FROM alpha.people",
        "AVG(income + 1) FROM alpha.people",
        "VARIANCE(income + 1) FROM alpha.people",
        "SUM((income + 1) * (score + 60)) FROM alpha.people",
        "SUM(abs(income + 1)) FROM alpha.people",
        "SUM(COALESCE(income, 1) + 1) FROM alpha.people",
        "SUM(CASE WHEN income > 5 THEN 2 ELSE 1 END) FROM alpha.people",
        "SUM(CASE WHEN id > 20 THEN income + 1 ELSE 7 END) FROM alpha.people",
        "COUNT(*) FROM alpha.people HAVING SUM(income + 1) > 5",
        f"SUM(v.cost + p.income), SUM(v.cost) {BOTH}",
        f"SUM(m.points + p.income), SUM(m.points) {OWNERS}",
        "SUM(t.k + p.income) FROM alpha.people p LEFT JOIN (SELECT mid, 1 AS k FROM gamma.members)"
        " t ON p.id = t.mid",
    ],
)
def test_each_summand_rests_on_enough_persons(select: str, tmp_path: Path) -> None:
    assert opened(tmp_path, f"SELECT {select}") == 0


@pytest.mark.parametrize(
    "select",
    [
        "SUM(income + 100000), COUNT(*) FROM alpha.people",
        f"SUM(v.cost + p.income), SUM(v.cost) {BOTH}",
        f"SUM(m.points + 1 + p.income), SUM(m.points) {OWNERS}",
    ],
)
@pytest.mark.parametrize("limits", [LIMITS, {"p_percent": 10}], ids=str)
def test_each_summand_is_tested_for_who_dominates_it(
    select: str, limits: dict[str, int], tmp_path: Path
) -> None:
    assert opened(tmp_path, f"SELECT {select}", 1) == 1
    assert opened(tmp_path, f"SELECT {select}", 1, **limits) == 0


@pytest.mark.parametrize(
    "select",
    [
        "SUM(score + 60), AVG(2 * score - 1) FROM alpha.people",
        "VARIANCE(score + 1) FROM alpha.people",
        "SUM(COALESCE(score, 1)) FROM alpha.people",
        f"SUM(v.cost - p.score) {BOTH}",
        f"SUM(m.points * (1 - m.rate) + p.score) {OWNERS}",
    ],
)
def test_sums_of_summands_that_many_have_are_opened(select: str, tmp_path: Path) -> None:
    assert opened(tmp_path, f"SELECT {select}") == 1


@pytest.mark.parametrize(
    "inner",
    [
        "SELECT id, SUM(income + 1) AS s FROM alpha.people GROUP BY id",
        "SELECT id, MAX(income + score) AS s FROM alpha.people GROUP BY id",
        "SELECT id, SUM(income + 1) OVER (PARTITION BY id) AS s FROM alpha.people",
        "SELECT id, income + 1 AS s, COUNT(*) OVER (PARTITION BY id) AS n FROM alpha.people",
        "SELECT id, income + 1 AS s FROM alpha.people UNION ALL SELECT id, cost FROM alpha.visits",
        "SELECT id, income AS s FROM alpha.people UNION ALL SELECT id, 1 FROM alpha.people",
    ],
)
def test_a_subquery_can_t_hide_summands(inner: str) -> None:
    sql = f"SELECT SUM(s), COUNT(*) FROM ({inner}) t"
    for agreed in (rooms.terms(5), rooms.terms(5, **LIMITS)):
        with pytest.raises(UnsupportedQuery, match="each summand is tested"):
            compile_query(sql, agreed, "h", "analyst")


def test_what_a_subquery_only_compares_may_be_computed() -> None:
    tested = "(p.id, p.id + 1) IN (SELECT id, id + 1 FROM alpha.visits)"
    sql = f"SELECT COUNT(*) FROM alpha.people p WHERE p.score > 5 OR {tested}"
    assert compile_query(sql, rooms.terms(5), "h", "analyst").root.min_group == 5


@pytest.mark.parametrize("name", ["#k0", "#1", "#v12"])
def test_names_of_rewritten_columns_are_reserved(name: str) -> None:
    inner = f'SELECT id, income + 1 AS "{name}" FROM alpha.people GROUP BY id, income + 1'
    with pytest.raises(UnsupportedQuery, match="the name #"):
        compile_query(f'SELECT SUM("{name}") FROM ({inner}) t', rooms.terms(5), "h", "analyst")


def test_a_sum_of_very_many_summands_is_refused() -> None:
    factor = "(score + id + year(born) + month(born) + 1)"
    sql = f"SELECT SUM({factor} * {factor}) FROM alpha.people"
    compile_query(sql, rooms.terms(), "h", "analyst")
    with pytest.raises(UnsupportedQuery, match="more than 16"):
        compile_query(sql, rooms.terms(5), "h", "analyst")
