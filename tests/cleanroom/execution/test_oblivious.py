"""What the wires show of statistics, inner groups and tops depends on sizes, never on rows."""

from pathlib import Path
from typing import Any

import pytest
import rooms

from cleanroom.execution.compute import compute
from cleanroom.execution.contribute import Contribution, contribute
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database
from protocols.rounds import Party
from protocols.simulate import Transcript, contexts, simulate

QUERIES = [
    "SELECT channel, COUNT(DISTINCT cust), MEDIAN(amt), QUANTILE_DISC(other, 0.3), VARIANCE(amt) "
    "FROM transactions GROUP BY channel",
    "SELECT n, SUM(total), MAX(total) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total "
    "FROM transactions GROUP BY cust HAVING COUNT(*) > 1) t WHERE total > 100 GROUP BY n",
    "SELECT month(booked) AS m, SUM(amt) AS s FROM transactions GROUP BY 1 ORDER BY s DESC LIMIT 2",
    "SELECT channel, COUNT(*), SUM(gap) FROM (SELECT cust, channel, amt - LAG(amt) OVER "
    "(PARTITION BY cust ORDER BY booked) AS gap, RANK() OVER (PARTITION BY cust ORDER BY "
    "other DESC, amt) AS r FROM transactions) t WHERE r < 3 AND gap > 0 GROUP BY channel",
    "SELECT p.state, p.id, p.name, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid "
    "WHERE p.income > (SELECT 3 * AVG(t.amt) FROM transactions t WHERE t.cust = p.id) "
    "GROUP BY 1, 2, 3",
    "SELECT p.state, COUNT(*) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims d "
    "WHERE d.pid = p.id AND d.level > p.score) GROUP BY p.state",
]
OF_ANY_PERSONS = (
    "SELECT state, COUNT(*) FROM alpha.people WHERE income > (SELECT AVG(amount) FROM beta.claims) "
    "GROUP BY state HAVING SUM(score) > (SELECT MIN(level) FROM beta.claims)"
)


def wires(sql: str, folder: Path, seed: int, min_group: int = 2) -> list[Any]:
    """Return gates and sizes, without quicksorts' levels: those follow from fresh randomness."""
    terms = rooms.terms(min_group)
    paths = rooms.write(folder, rooms.rows(seed))
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    parts: list[dict[int, Contribution]] = [{}, {}, {}]
    for owner in rooms.OWNERS:
        for triple in contribute(plan, owner, Database(terms, owner, paths[owner]), b"k" * 16):
            for party in Party:
                parts[party][triple[party].leaf] = triple[party]
    transcript = Transcript()
    simulate([compute(ctx, plan, parts[ctx.me]) for ctx in contexts(b"s")], transcript=transcript)
    rounds = ([send for send in r if "quicksort" not in send[2]] for r in transcript.rounds)
    return [sorted(sends) for sends in rounds if sends]


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: sql[:40])
def test_other_rows_look_the_same(sql: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert wires(sql, first, 1) == wires(sql, second, 2)


def test_a_value_of_all_looks_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert wires(OF_ANY_PERSONS, first, 1, 1) == wires(OF_ANY_PERSONS, second, 2, 1)
