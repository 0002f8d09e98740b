"""Who may ask which gate, in what form, and what else a room of gates opens: nothing."""

import datetime as dt
from dataclasses import replace
from typing import Any

import banks
import pytest

from cleanroom.contract.terms import Terms
from cleanroom.plan.gated import Gated
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.policy.check import by_contract as check
from cleanroom.policy.check import check as ruled
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own
from cleanroom.policy.queries import unavailable
from cleanroom.query.compile import compile_query, compile_question

TODAY = dt.date(2026, 11, 22)


def plan_of(agreed: Terms, name: str = "flagged_twice", recipient: str = "supervisor") -> Plan:
    question = Question(agreed.gates[name].sql, recipient, gate=name)
    return compile_question(question, agreed, "0" * 64)


def codes(plan: Plan, agreed: Terms) -> list[Code]:
    return [violation.code for violation in check(plan, agreed, TODAY)]


def changed(table: str, column: str, rights: dict[str, Any]) -> Terms:
    room = banks.contract()
    columns = room["tables"][table]["columns"]
    columns[column] = {**columns[column], "rights": rights}
    return Terms.of(room)


@pytest.mark.parametrize("release", ["gated", "sdc", "dp"])
@pytest.mark.parametrize("name", banks.GATES)
def test_as_signed_for_whom_it_names(name: str, release: str) -> None:
    agreed = Terms.of({**banks.contract(), "privacy": {"release": release, "min_group": 10}})
    for recipient in ("supervisor", *banks.BANKS):
        assert codes(plan_of(agreed, name, recipient), agreed) == []


def test_for_nobody_else() -> None:
    agreed = Terms.of(banks.contract(owners=False))
    for recipient in ("outsider", "bank_a"):
        found = codes(plan_of(agreed, recipient=recipient), agreed)
        assert Code.GATE_NOT_FOR_RECIPIENT in found
    agreed = banks.terms(to=["outsider"])
    plan = plan_of(agreed, recipient="bank_a")
    assert codes(plan, agreed) == []
    whole = replace(plan, gate=Gated("flagged_twice", own=False))
    assert codes(whole, agreed) == [Code.GATE_NOT_FOR_RECIPIENT]


def test_in_no_other_text_or_size() -> None:
    agreed = banks.terms()
    plan = plan_of(agreed)
    top = plan.root.top
    assert top is not None
    for altered in (
        replace(plan, sql=plan.sql.replace(">= 2", ">= 1")),
        replace(plan, gate=Gated("by_phone", own=False)),
        replace(plan, gate=Gated("none", own=False)),
        replace(plan, root=replace(plan.root, hidden=False)),
        replace(plan, root=replace(plan.root, top=replace(top, limit=21))),
        replace(plan, root=replace(plan.root, top=None)),
    ):
        assert Code.GATE_ALTERED in codes(altered, agreed)


def test_what_is_shown_needs_reveal_and_nothing_else_a_right() -> None:
    agreed = changed("flags", "amount", {"bank_a": ["reveal"], "supervisor": ["sum", "filter"]})
    assert codes(plan_of(agreed, "flagged_twice", "bank_a"), agreed) == []
    (violation,) = check(plan_of(agreed), agreed, TODAY)
    assert violation.code is Code.COLUMN_USE_NOT_ALLOWED
    assert "flags.amount used as 'reveal'" in violation.message
    assert codes(plan_of(agreed, "on_the_list"), agreed) == []  # it only compares amounts


def test_a_column_that_equals_a_shown_one_needs_reveal_too() -> None:
    agreed = changed("bank_a.watched", "customer", {})
    (violation,) = check(plan_of(agreed, "on_the_list"), agreed, TODAY)
    assert "bank_a.watched.customer used as 'reveal'" in violation.message


def test_what_rows_are_ordered_by_is_opened_too() -> None:
    room = banks.contract()
    room["tables"]["flags"]["columns"]["amount"]["rights"] = {}
    sql = "SELECT customer FROM flags GROUP BY 1 HAVING SUM(amount) > 9 ORDER BY SUM(amount)"
    room["gates"] = {"g": {"sql": sql, "to": ["supervisor"], "max_rows": 9}}
    (violation,) = check(plan_of(Terms.of(room), "g"), Terms.of(room), TODAY)
    assert "flags.amount used as 'reveal'" in violation.message


def test_members_that_are_shown_need_reveal() -> None:
    room = banks.contract()
    sql = "SELECT customer, COUNT(DISTINCT member) FROM flags GROUP BY 1 HAVING COUNT(*) > 2"
    room["gates"] = {"g": {"sql": sql, "to": ["supervisor"], "max_rows": 9}}
    (violation,) = check(plan_of(Terms.of(room), "g"), Terms.of(room), TODAY)
    assert "flags.member used as 'reveal'" in violation.message
    room["tables"]["flags"]["member_rights"] = {"supervisor": ["reveal"]}
    assert codes(plan_of(Terms.of(room), "g"), Terms.of(room)) == []


@pytest.mark.parametrize("sql", [banks.GATES["flagged_twice"], "SELECT customer FROM flags"])
def test_a_room_of_gates_opens_nothing_else(sql: str) -> None:
    agreed = banks.terms()
    for recipient in ("supervisor", "bank_a"):
        found = codes(compile_query(sql, agreed, "0" * 64, recipient), agreed)
        assert Code.GATES_ALONE in found
    assert not unavailable(agreed)
    assert [v.code for v in unavailable(Terms.of({**banks.contract(), "gates": {}}))] == [
        Code.GATES_ALONE
    ]


def test_an_expired_contract_has_no_gates() -> None:
    agreed = banks.terms()
    found = check(plan_of(agreed), agreed, dt.date(2100, 1, 1))
    assert [violation.code for violation in found] == [Code.CONTRACT_EXPIRED]


@pytest.mark.parametrize("before", [0, 2, 3, 90])
def test_nobody_asks_oftener_than_all_signed(before: int) -> None:
    agreed = banks.terms(per_day=3)
    own, spent = Own("bank_b"), Spent(counted=before)
    found = ruled(plan_of(agreed), agreed, own, spent, TODAY)
    assert [v.code for v in found] == [Code.GATE_ASKED_TOO_OFTEN] * (before >= 3)
    assert all(v.party == "bank_b" and "3 are allowed" in v.message for v in found)
