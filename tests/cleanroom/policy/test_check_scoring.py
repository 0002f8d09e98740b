"""A scoring needs rights on every column, the model owner's consent, and few enough rows."""

import datetime as dt
from typing import Any

import pytest
import scoring
from hypothesis import given
from hypothesis import strategies as st
from scoring import MODEL, TABLE

from cleanroom.contract.terms import Terms
from cleanroom.plan.scoring import ScorePlan
from cleanroom.policy.check import check
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import NONE
from cleanroom.query.scoring import compile_scoring

TODAY = dt.date(2026, 3, 1)
TERMS = scoring.terms(max_rows=100, max_rows_per_day=250)


def plan(terms: Terms) -> ScorePlan:
    return compile_scoring(MODEL, TABLE, terms, "0" * 64, "bank_a")


PLAN = plan(TERMS)


def check_scoring(
    asked: ScorePlan, rows: int, before: int, terms: Terms, today: dt.date
) -> tuple[Violation, ...]:
    return check(Rows(asked, rows), terms, NONE, Spent(counted=before), today)


def _changed(path: str, value: object) -> Terms:
    source: dict[str, Any] = scoring.contract(max_rows=100, max_rows_per_day=250)
    *folders, name = path.split("/")
    at = source
    for folder in folders:
        at = at[folder]
    at[name] = value
    return Terms.of(source)


REFUSED = {
    Code.COLUMN_USE_NOT_ALLOWED: (_changed(f"tables/{TABLE}/columns/age/rights", {}), 1, 0),
    Code.CONTRACT_EXPIRED: (_changed("room/expires", dt.date(2026, 2, 1)), 1, 0),
    Code.PURPOSE_MISSING: (_changed("room/purposes", {"fraud": "find fraud"}), 1, 0),
    Code.MODEL_NOT_ALLOWED: (_changed(f"models/{MODEL}/scores", {}), 1, 0),
    Code.TOO_MANY_ROWS: (TERMS, 101, 0),
}


def test_an_agreed_scoring_runs() -> None:
    assert check_scoring(plan(TERMS), 100, 150, TERMS, TODAY) == ()


@pytest.mark.parametrize("code", REFUSED)
def test_each_rule_refuses(code: Code) -> None:
    terms, rows, before = REFUSED[code]
    assert [v.code for v in check_scoring(plan(terms), rows, before, terms, TODAY)] == [code]


def test_who_has_no_role_to_receive_may_not_ask() -> None:
    source = scoring.contract()
    source["models"][MODEL]["scores"] = {}
    source["members"]["bank_a"]["roles"] = ["input"]
    for table in source["tables"].values():
        for column in table["columns"].values():
            column.get("rights", {}).pop("bank_a", None)
    terms = Terms.of(source)
    codes = {v.code for v in check_scoring(plan(terms), 1, 0, terms, TODAY)}
    assert Code.NOT_A_RECIPIENT in codes


def test_a_day_is_full_at_its_last_row() -> None:
    (violation,) = check_scoring(plan(TERMS), 100, 151, TERMS, TODAY)
    assert violation.code is Code.TOO_MANY_ROWS
    assert "100 rows to score after 151 today" in violation.message


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_asking_for_more_rows_never_lifts_a_refusal(rows: int, more: int, before: int) -> None:
    few = check_scoring(PLAN, rows, before, TERMS, TODAY)
    many = check_scoring(PLAN, rows + more, before, TERMS, TODAY)
    assert not few or many
