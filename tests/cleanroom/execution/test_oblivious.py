"""What the wires show depends on sizes, never on rows, not even how many groups are opened."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rooms

from cleanroom.execution.compute import compute
from cleanroom.execution.contribute import Contribution, contribute
from cleanroom.execution.outcome import Opened, Outcome, reconstruct
from cleanroom.query.compile import compile_query
from cleanroom.sources.database import Database
from protocols.rounds import Party
from protocols.simulate import Transcript, contexts, simulate

Data = dict[str, rooms.Rows | dict[str, rooms.Rows]]
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


def run(
    sql: str,
    folder: Path,
    data: Data,
    count: str = "hidden",
    min_group: int = 2,
    **privacy: object,
) -> tuple[list[Any], list[Outcome], Opened]:
    """Return gates and sizes, without quicksorts' levels: those follow from fresh randomness."""
    folder.mkdir()
    terms = rooms.terms(min_group, group_count=count, **privacy)
    paths = rooms.write(folder, data)
    plan = compile_query(sql, terms, "0" * 64, "analyst")
    parts: list[dict[int, Contribution]] = [{}, {}, {}]
    for owner in rooms.OWNERS:
        for triple in contribute(plan, owner, Database(terms, owner, paths[owner]), b"k" * 16):
            for party in Party:
                parts[party][triple[party].leaf] = triple[party]
    transcript = Transcript()
    steps = [compute(ctx, plan, parts[ctx.me]) for ctx in contexts(b"s")]
    outcomes = simulate(steps, transcript=transcript)
    rounds = ([send for send in r if "quicksort" not in send[2]] for r in transcript.rounds)
    sizes = [sorted(sends) for sends in rounds if sends]
    return sizes, list(outcomes), reconstruct(plan, outcomes)


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: sql[:40])
def test_other_rows_look_the_same(sql: str, tmp_path: Path) -> None:
    first, *_ = run(sql, tmp_path / "first", rooms.rows(1))
    second, *_ = run(sql, tmp_path / "second", rooms.rows(2))
    assert first == second


@pytest.mark.parametrize("keys", ["channel", "channel, month(booked)"])
def test_rules_of_release_look_the_same_whatever_they_withhold(keys: str, tmp_path: Path) -> None:
    sql = f"SELECT {keys}, COUNT(*), SUM(amt) FROM transactions GROUP BY {keys}"
    rules = {"redact": 3, "round_to": 5, "top_two": 80, "p_percent": 10, "min_members": 2}
    first, _, all_of = run(sql, tmp_path / "a", rooms.rows(1), **rules, complementary="on")
    second, _, one = run(sql, tmp_path / "b", one_customer(), **rules, complementary="on")
    assert all_of.n != one.n
    assert first == second


def test_a_value_of_all_looks_the_same(tmp_path: Path) -> None:
    first, *_ = run(OF_ANY_PERSONS, tmp_path / "first", rooms.rows(1), min_group=1)
    second, *_ = run(OF_ANY_PERSONS, tmp_path / "second", rooms.rows(2), min_group=1)
    assert first == second


COUNTED = {
    "plain": "SELECT channel, COUNT(*) FROM transactions GROUP BY channel",
    "keys without a domain": "SELECT cust, COUNT(*) FROM transactions GROUP BY cust",
    "one group": "SELECT COUNT(*), MIN(amt) FROM transactions",
    "having": "SELECT channel FROM transactions GROUP BY channel HAVING SUM(amt) > 100",
    "top": "SELECT cust, SUM(amt) FROM transactions GROUP BY cust ORDER BY 2 DESC LIMIT 90",
    "inner groups": "SELECT n, COUNT(*) FROM (SELECT cust, COUNT(*) AS n FROM transactions "
    "GROUP BY cust) GROUP BY n",
    "rows": "SELECT cust, channel FROM transactions",
    "first rows": "SELECT cust, channel FROM transactions ORDER BY channel, cust LIMIT 90",
    "rows of a join": "SELECT t.channel, p.state FROM transactions t JOIN people p ON p.id = cust",
}


def one_customer() -> Data:
    """Return rows of which all transactions are alike, so that there is one group, or none."""
    data = rooms.rows(1)
    parts = data["transactions"]
    assert isinstance(parts, dict)
    alike = {"cust": 7, "other": 7, "amt": 1, "channel": "web"}
    parts = {owner: [{**row, **alike} for row in part] for owner, part in parts.items()}
    return {**data, "transactions": parts}


@pytest.mark.parametrize("title", COUNTED)
def test_how_many_groups_are_opened_stays_hidden(title: str, tmp_path: Path) -> None:
    least = 2 if title in ("plain", "one group", "having") else 1
    many = run(COUNTED[title], tmp_path / "many", rooms.rows(1), min_group=least)
    few = run(COUNTED[title], tmp_path / "few", one_customer(), min_group=least)
    assert many[2].n > few[2].n
    assert many[0] == few[0]
    shapes = [[(o.n, o.words.shape) for o in outcomes] for _, outcomes, _ in (many, few)]
    assert shapes[0] == shapes[1]


def test_an_open_count_shows_in_the_outcome_alone(tmp_path: Path) -> None:
    many = run(COUNTED["plain"], tmp_path / "many", rooms.rows(1), "open")
    few = run(COUNTED["plain"], tmp_path / "few", one_customer(), "open")
    assert many[0] == few[0]
    assert [o.n for o in many[1]] == [many[2].n] * 3
    assert [o.n for o in few[1]] == [few[2].n] * 3


def test_unused_slots_hold_zeros(tmp_path: Path) -> None:
    _, outcomes, opened = run(COUNTED["rows"], tmp_path / "few", one_customer(), min_group=1)
    n, (own, following, other) = outcomes[0].n, (o.words for o in outcomes)
    bit_words = (len(own) // 2 - 1) // n - 1  # the last is the only sum: how often a row occurs
    half, cut = len(own) // 2, 1 + n * bit_words
    bits = own[1:cut] ^ following[1:cut] ^ other[1:cut]
    sums = own[cut:half] + following[cut:half] + other[cut:half]
    empty = (bits.reshape(n, bit_words)[:, -1] & np.uint64(1)) == 0
    assert (n - empty.sum(), opened.n) == (1, 1)
    assert not bits.reshape(n, bit_words)[empty].any()
    assert not sums[empty].any()
