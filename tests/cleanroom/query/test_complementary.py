"""Further groups are withheld where totals would tell one that is; HAVING and LIMIT come later."""

from pathlib import Path
from typing import Any

import cells
import pandas as pd
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.plan.controls import Complement
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.sheet import Sheet
from cleanroom.plan.withheld import withheld_of
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

ONE = "SELECT k, COUNT(*) AS n FROM alpha.t GROUP BY k"
TWO = "SELECT k, j, COUNT(*) AS n FROM alpha.t GROUP BY k, j"
ON = {"min_group": 10, "complementary": "on"}


def rows(sizes: dict[tuple[int, ...], int]) -> pd.DataFrame:
    """Return one person a row, so many for each value of k, or of k and j."""
    found = [cell for cell, n in sizes.items() for _ in range(n)]
    return pd.DataFrame(found, columns=list("kjh")[: len(found[0])]).assign(x=5)


def released(
    sql: str, frame: pd.DataFrame, folder: Path, **privacy: Any
) -> tuple[list[tuple[Any, ...]], int]:
    """Return what is shown, as rows in order, and how many groups aren't."""
    agreed = cells.terms(**(ON | privacy))
    plan = compile_query(sql, agreed, "h", "analyst")
    databases = cells.databases(folder, frame, agreed)
    opened, clear = run_on_shares(plan, databases), insecure_run(plan, databases)
    assert opened.suppressed == clear.suppressed
    found, expected = (finish(plan, o.columns).to_pydict() for o in (opened, clear))
    answers = [sorted(zip(*table.values(), strict=True)) for table in (found, expected)]
    assert answers[0] == answers[1]
    return answers[0], opened.suppressed


def test_a_second_group_is_withheld_beside_a_single_one(tmp_path: Path) -> None:
    """Else the total less all others is the one that is withheld."""
    shown, withheld = released(ONE, rows({(1,): 3, (2,): 12, (3,): 11, (4,): 30}), tmp_path)
    assert (shown, withheld) == ([(2, 12), (4, 30)], 2)


def test_small_groups_that_are_large_together_need_no_other(tmp_path: Path) -> None:
    shown, withheld = released(ONE, rows({(1,): 6, (2,): 12, (3,): 5}), tmp_path)
    assert (shown, withheld) == ([(2, 12)], 2)


def test_nothing_more_is_withheld_where_nothing_is(tmp_path: Path) -> None:
    shown, withheld = released(ONE, rows({(1,): 10, (2,): 12}), tmp_path)
    assert (shown, withheld) == ([(1, 10), (2, 12)], 0)


def test_with_two_keys_a_rectangle_is_withheld(tmp_path: Path) -> None:
    """Row and column totals both would tell the small cell, unless three others go with it."""
    sizes = {(k, j): 20 + 5 * (k + j) for k in range(3) for j in range(3)} | {(1, 1): 4}
    shown, withheld = released(TWO, rows(sizes), tmp_path)
    assert withheld == 4
    assert {(k, j) for k, j, _ in shown} == set(sizes) - {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_small_rows_go_with_a_large_one(tmp_path: Path) -> None:
    """No rectangle of so small cells holds ten persons, but two rows of them do."""
    sizes = {(k, j): (3 if k == 0 else 20 + k) for k in range(4) for j in range(5)}
    shown, withheld = released(TWO, rows(sizes), tmp_path)
    assert withheld == 10
    assert {k for k, _, _ in shown} == {2, 3}


def test_with_three_keys_it_is_all_or_nothing(tmp_path: Path) -> None:
    sql = "SELECT k, j, h, COUNT(*) AS n FROM alpha.t GROUP BY k, j, h"
    sizes = {(k, j, h): 12 for k in range(2) for j in range(2) for h in range(2)}
    assert released(sql, rows(sizes), tmp_path)[1] == 0
    assert released(sql, rows(sizes | {(0, 0, 0): 9}), tmp_path) == ([], 8)


def test_having_and_limit_choose_among_what_is_left(tmp_path: Path) -> None:
    frame = rows({(1,): 3, (2,): 12, (3,): 11, (4,): 30})
    having = released(f"{ONE} HAVING COUNT(*) < 12", frame, tmp_path)
    assert having == ([], 2)
    limit = released(f"{ONE} ORDER BY n LIMIT 1", frame, tmp_path)
    assert limit == ([(2, 12)], 2)


def test_a_dominated_sum_is_protected_too(tmp_path: Path) -> None:
    frame = rows({(1,): 12, (2,): 15, (3,): 20})
    frame.loc[0, "x"] = 10_000
    sql = "SELECT k, SUM(x) AS s FROM alpha.t GROUP BY k"
    assert released(sql, frame, tmp_path, top_two=90) == ([(3, 100)], 2)
    assert released(sql, frame, tmp_path, top_two=90, min_group=1) == ([(3, 100)], 2)


@pytest.mark.parametrize("keys", ["a.channel", "a.channel, month(b.booked)"])
def test_persons_of_both_sides_of_a_join_count(
    keys: str, databases: dict[str, Database]
) -> None:
    sql = f"SELECT {keys}, COUNT(*) FROM transactions a JOIN transactions b ON a.other = b.cust "
    agreed = rooms.terms(4, complementary="on")
    plan = compile_query(f"{sql} GROUP BY {keys}", agreed, "h", "analyst")
    assert plan.root.complement is not None
    assert plan.root.complement.persons == ("person_0", "person_1")
    opened, clear = run_on_shares(plan, databases), insecure_run(plan, databases)
    found, expected = (finish(plan, o.columns).to_pylist() for o in (opened, clear))
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert opened.suppressed == clear.suppressed


@pytest.mark.parametrize(
    ("sql", "lines"),
    [(ONE, ("b0_0",)), (TWO, ("b0_0", "b0_1")), ("SELECT COUNT(*) FROM alpha.t", ())],
)
def test_the_plan_says_along_what(sql: str, lines: tuple[str, ...]) -> None:
    agreed = cells.terms(**ON)
    plan = compile_query(sql, agreed, "h", "analyst")
    expected = Complement(lines, ("person_0",), 10) if lines else None
    assert plan.root.complement == expected
    told = "totals then tell none of them" in Sheet.of(plan, agreed).text
    assert told == bool(lines)


def test_a_result_accounts_for_what_it_leaves_out(tmp_path: Path) -> None:
    agreed = cells.terms(**ON, redact=13, top_two=90)
    plan = compile_query(f"{ONE} HAVING SUM(x) > 0", agreed, "h", "analyst")
    frame = rows({(1,): 3, (2,): 12, (3,): 11, (4,): 30})
    opened = run_on_shares(plan, cells.databases(tmp_path, frame, agreed))
    found = withheld_of(plan, opened.suppressed, opened.columns)
    assert (found.groups, found.counts) == (2, 1)
    assert str(found) == (
        "2 groups withheld: too few persons, dominated by few or to protect others; "
        "small counts withheld: 1"
    )
