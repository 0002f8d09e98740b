"""Sums that one or two contributors dominate are withheld, whoever the contributors are."""

from pathlib import Path
from typing import Any

import cells
import pandas as pd
import pytest
import rooms
from in_memory import run_on_shares

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.sheet import Sheet
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database

BY_KEY = "SELECT k, SUM(x) AS s FROM alpha.t GROUP BY k"


@pytest.mark.parametrize(
    ("values", "privacy", "passes"),
    [
        ([45, 45, 10], {"top_two": 90}, True),
        ([45, 46, 9], {"top_two": 90}, False),
        ([91, 5, 4], {"top_two": 90}, False),
        ([100, 5, 5, 5], {"p_percent": 10}, True),
        ([100, 50, 9], {"p_percent": 10}, False),
        ([100, 50, 10], {"p_percent": 10}, True),
        ([50, 50, 0, 0], {"p_percent": 1}, False),
        ([91] + [1] * 9, {"top_two": 91}, False),
        ([90] + [1] * 10, {"top_two": 91}, True),
    ],
)
def test_limits_themselves_pass(
    values: list[int], privacy: dict[str, Any], passes: bool, tmp_path: Path
) -> None:
    agreed = cells.terms(min_group=1, **privacy)
    databases = cells.databases(tmp_path, pd.DataFrame({"k": 1, "x": values}), agreed)
    plan = compile_query(BY_KEY, agreed, "h", "analyst")
    for opened in (run_on_shares(plan, databases), insecure_run(plan, databases)):
        assert (opened.n, opened.suppressed) == (int(passes), int(not passes))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT channel, month(booked) AS m, AVG(amt) AS n FROM transactions GROUP BY 1, 2",
        "SELECT p.state, SUM(p.score * c.level) FROM alpha.people p JOIN beta.claims c"
        " ON p.id = c.pid GROUP BY p.state",
        "SELECT p.code, SUM(c.amount), MIN(c.level) FROM alpha.people p LEFT JOIN beta.claims c"
        " ON p.id = c.pid GROUP BY p.code",
        "SELECT n, SUM(total) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions"
        " GROUP BY cust) GROUP BY n",
    ],
)
def test_shares_agree_with_the_twin(sql: str, databases: dict[str, Database]) -> None:
    plan = compile_query(sql, rooms.terms(2, top_two=80, p_percent=25), "h", "analyst")
    opened, clear = run_on_shares(plan, databases), insecure_run(plan, databases)
    assert opened.suppressed == clear.suppressed > 0
    found, expected = (finish(plan, o.columns).to_pylist() for o in (opened, clear))
    assert sorted(map(str, found)) == sorted(map(str, expected))


@pytest.mark.parametrize(("top_two", "passes"), [(91, True), (90, False)])
def test_one_bank_s_rows_may_not_be_nearly_all_of_a_sum(
    top_two: int, passes: bool, tmp_path: Path
) -> None:
    """Twenty persons at each bank, none of them large, but one bank has 91 % of the sum."""
    agreed, data = rooms.terms(10, top_two=top_two), rooms.rows()
    (row, *_), parts = data["transactions"]["alpha"], {"alpha": 5, "beta": 91, "gamma": 4}
    data["transactions"] = {
        owner: [{**row, "cust": i, "amt": amount, "channel": "web"} for i in range(20)]
        for owner, amount in parts.items()
    }
    paths = rooms.write(tmp_path, data)
    databases = {owner: Database(agreed, owner, paths[owner]) for owner in rooms.OWNERS}
    sql = "SELECT channel, SUM(amt) AS s FROM transactions GROUP BY channel"
    plan = compile_query(sql, agreed, "h", "analyst")
    for opened in (run_on_shares(plan, databases), insecure_run(plan, databases)):
        assert (opened.n, opened.suppressed) == (int(passes), int(not passes))


def test_what_nobody_has_a_part_in_is_refused() -> None:
    sql = "SELECT SUM(DISTINCT level) FROM beta.claims"
    with pytest.raises(UnsupportedQuery, match="no person has a part"):
        compile_query(sql, rooms.terms(2, top_two=90), "h", "analyst")


def test_sums_that_are_too_large_to_be_compared_are_refused() -> None:
    compile_query(BY_KEY, cells.terms(10**13), "h", "analyst")
    with pytest.raises(OverflowPossible, match="to test who dominates it"):
        compile_query(BY_KEY, cells.terms(10**13, top_two=90), "h", "analyst")


def test_the_sheet_names_the_rules() -> None:
    agreed = rooms.terms(3, top_two=90, p_percent=10, min_members=2)
    sql = "SELECT channel, SUM(amt) FROM transactions GROUP BY channel"
    text = Sheet.of(compile_query(sql, agreed, "h", "analyst"), agreed).text
    for line in (
        "the two largest contributors have at most 90 % of a sum",
        "more closely than 10 %",
        "come from at least 2 of them",
        "don't dominate d0",
    ):
        assert line in text
