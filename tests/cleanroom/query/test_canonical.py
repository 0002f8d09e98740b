"""What the same question is, however it is written, and what another one is."""

import noisy
import pytest

from cleanroom.query.compile import compile_query

TERMS = noisy.terms()
ASKED = "SELECT kind, COUNT(*), SUM(amount) FROM claims WHERE paid AND level > 3 GROUP BY kind"
SAME = [
    "select   kind, count(*) , sum(amount)\nfrom claims where paid and level > 3 group by kind",
    "SELECT SUM(amount) AS s, kind AS k, COUNT(*) AS n FROM claims AS c WHERE level > 3 AND paid "
    "GROUP BY kind",
    "SELECT kind, COUNT(*), SUM(amount) FROM claims WHERE 1=1 AND 3 < level AND paid GROUP BY 1",
    "SELECT kind, COUNT(*), SUM(c.amount) FROM claims c WHERE paid AND (level > 3.0 AND paid) "
    "GROUP BY c.kind HAVING COUNT(*) > 10 ORDER BY 2 LIMIT 1",
    "SELECT kind, AVG(amount), COUNT(*) FROM claims WHERE paid AND level > 3 GROUP BY kind",
    "WITH c AS (SELECT * FROM claims WHERE paid) SELECT kind, COUNT(*) + 0, SUM(amount) FROM c "
    "WHERE level > 3 GROUP BY kind",
]
OTHER = [
    ASKED.replace("3", "4"),
    ASKED.replace(" AND", " OR"),
    ASKED.replace("COUNT(*), ", ""),
    ASKED.replace("SUM(amount)", "SUM(level)"),
    ASKED.replace("GROUP BY kind", "GROUP BY kind, paid"),
    ASKED.replace("level > 3", "level >= 3"),
]


def question(sql: str) -> tuple[object, ...]:
    noise = compile_query(sql, TERMS, "0" * 64, "analyst").noise
    return noise.rows_form, sorted(noise.keys), sorted(total.form for total in noise.totals)


@pytest.mark.parametrize("sql", SAME)
def test_spelling_names_and_order_do_not_matter(sql: str) -> None:
    assert question(sql) == question(ASKED)


@pytest.mark.parametrize("sql", OTHER)
def test_other_rows_totals_or_groups_are_another_question(sql: str) -> None:
    assert question(sql) != question(ASKED)


def test_joins_may_be_written_either_way() -> None:
    one = "SELECT a.state, COUNT(*) FROM alpha.people a JOIN beta.people b ON a.pid = b.pid"
    other = "SELECT state, COUNT(*) FROM beta.people x, alpha.people y WHERE x.pid = y.pid"
    assert question(f"{one} GROUP BY a.state") == question(f"{other} GROUP BY state")
