"""Trainings on joined rows as SQL: what is refused by name, which rights they need, their sheet."""

import datetime as dt

import cancer
import pytest

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError, OverflowPossible, UnknownName, UnsupportedQuery
from cleanroom.plan.cost import cost_of
from cleanroom.plan.plan import Plan
from cleanroom.plan.sheet import Sheet
from cleanroom.policy.check import by_contract
from cleanroom.query.compile import compile_query
from cleanroom.sql.fitting import statement

TEXT = statement(cancer.SQL, "benign", "logistic", 40, 0.5)
JOIN = "FROM clinic.sizes c JOIN registry.outcomes r ON r.pid = c.id"


def compiled(text: str, min_group: int = 10) -> Plan:
    return compile_query(text, cancer.terms(min_group), "0" * 64, "analyst")


def ask(rows: str, call: str = "LOGISTIC_REGRESSION(benign, 40, 1)") -> str:
    return f"SELECT {call} FROM ({rows})"


REFUSED: dict[str, tuple[type[CleanroomError], str]] = {
    ask(f"SELECT c.area, r.benign {JOIN}", "LOGISTIC_REGRESSION(died, 40, 1)"): (
        UnknownName,
        "no column 'died'",
    ),
    ask("SELECT c.area, c.radius > 9 AS benign FROM clinic.sizes c"): (
        UnsupportedQuery,
        "without a join",
    ),
    ask(f"SELECT c.area, c.radius AS benign {JOIN}"): (UnsupportedQuery, "values from 500 to 3000"),
    ask(f"SELECT CASE WHEN c.area > 7 THEN 1 END AS x, r.benign {JOIN}"): (
        UnsupportedQuery,
        "may be NULL",
    ),
    ask(f"SELECT r.note, r.benign {JOIN}"): (UnsupportedQuery, "TEXT without declared values"),
    ask(f"SELECT r.seen, r.benign {JOIN}"): (UnsupportedQuery, "type DATE"),
    ask(f"SELECT c.area + r.pid AS x, r.benign {JOIN}"): (UnsupportedQuery, "several owners"),
    ask(f"SELECT 1 AS one, r.benign {JOIN}"): (UnsupportedQuery, "same in all rows"),
    ask(f"SELECT r.benign {JOIN}"): (UnsupportedQuery, "0 features"),
    ask(f"SELECT c.area, c.radius AS area, r.benign {JOIN}"): (UnsupportedQuery, "two columns"),
    ask(f"SELECT c.area, r.benign {JOIN} LIMIT 5"): (UnsupportedQuery, "LIMIT"),
    ask(f"SELECT c.area, COUNT(*) AS n {JOIN} GROUP BY 1"): (UnsupportedQuery, "GROUP BY"),
    ask(f"SELECT c.area, r.benign {JOIN}", "LOGISTIC_REGRESSION(benign, 0, 1)"): (
        UnsupportedQuery,
        "iterations must be",
    ),
    ask(f"SELECT c.area, r.benign {JOIN}", "LOGISTIC_REGRESSION(benign, 9, -1)"): (
        UnsupportedQuery,
        "l2 must be",
    ),
    ask(f"SELECT c.area, r.benign {JOIN}", "LOGISTIC_REGRESSION(benign, 9, 0.0001)"): (
        UnsupportedQuery,
        "3 decimal places",
    ),
    ask(f"SELECT c.area, r.benign {JOIN}", "LOGISTIC_REGRESSION(benign)"): (
        UnsupportedQuery,
        "in another form",
    ),
    "SELECT LOGISTIC_REGRESSION(benign, 9, 1) FROM registry.outcomes": (
        UnsupportedQuery,
        "in another form",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_trained_on_is_refused_by_name(text: str) -> None:
    kind, words = REFUSED[text]
    with pytest.raises(kind) as caught:
        compiled(text)
    assert words in str(caught.value)


def test_more_joined_rows_than_words_can_add_up_are_refused() -> None:
    contract = cancer.contract()
    for table in contract["tables"].values():
        table["max_rows"] = 1 << 21
    with pytest.raises(OverflowPossible, match="joined rows"):
        compile_query(TEXT, Terms.of(contract), "0" * 64, "analyst")


def test_a_training_has_no_way_on_ciphertexts() -> None:
    with pytest.raises(UnsupportedQuery, match="on ciphertexts"):
        compile_query(TEXT, cancer.terms(), "0" * 64, "analyst", "he")


def test_features_and_target_need_train_and_nothing_else_of_them() -> None:
    uses = {(u.column, u.right) for u in compiled(TEXT).uses}
    keys = {(key, "join") for key in ("id", "patient", "pid")}
    assert uses == keys | {(name, "train") for name in (*cancer.FEATURES, "benign")}
    filtered = compiled(ask(f"SELECT c.area, r.benign {JOIN} WHERE r.stage = 'i'"))
    assert ("stage", "filter") in {(u.column, u.right) for u in filtered.uses}


def test_a_feature_without_the_right_train_is_denied_by_name() -> None:
    terms, plan = cancer.terms(), compiled(ask(f"SELECT r.pid AS x, c.area, r.benign {JOIN}"))
    (violation,) = by_contract(plan, terms, dt.date(2026, 1, 1))
    assert "registry.outcomes.pid used as 'train'" in violation.message
    assert not by_contract(compiled(TEXT), terms, dt.date(2026, 1, 1))


def test_declared_values_become_one_feature_each_but_the_first() -> None:
    plan = compiled(ask(f"SELECT r.stage, c.area > 700 AS wide, r.benign {JOIN}"))
    names = [column.meaning for column in plan.opened]
    assert [name.split()[2].rstrip(",") for name in names] == [
        "intercept",
        "stage=ii",
        "stage=unknown",
        "wide",
    ]


def test_the_sheet_says_what_is_opened_and_that_nothing_else_is() -> None:
    sheet = Sheet.of(compiled(TEXT), cancer.terms())
    assert len(sheet.opened) == 9
    assert all("coefficient of" in line for line in sheet.opened)
    assert "fit a logistic regression: 40 iterations, l2 = 0.5" in sheet.text
    assert "open the coefficients, or nothing of them" in sheet.text
    assert "keep groups of 10 or more distinct persons" in sheet.text


def test_iterations_cost_what_the_estimate_says() -> None:
    few, many = (
        cost_of(compiled(statement(cancer.SQL, "benign", "logistic", n, 1))) for n in (10, 110)
    )
    assert many.rounds - few.rounds == 1800
    assert many.bytes_per_party > 2 * few.bytes_per_party
