"""When a plan needs a person, and that whatever changes a plan needs another approval."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import rooms
import scoring
import training

from cleanroom.contract.terms import Terms
from cleanroom.errors import ConfigInvalid
from cleanroom.learning.job import Job
from cleanroom.plan.plan import Plan
from cleanroom.plan.question import Question
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.approval import hash_of, kind_of, needs_person
from cleanroom.policy.check import Ruled, check
from cleanroom.policy.matter import Approval, Rows, Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.query.compile import compile_question
from cleanroom.query.scoring import compile_scoring
from cleanroom.query.training import compile_training
from cleanroom.sql.templates import filled, use_of

TODAY = dt.date(2026, 3, 1)
SQL = "SELECT channel, COUNT(*) FROM transactions GROUP BY channel"
OFFERED = {
    "sql": "SELECT COUNT(*) FROM transactions WHERE amt < :most",
    "recipients": ["analyst"],
    "parameters": {"most": {"type": "INTEGER", "bounds": [0, 9]}},
}


def terms() -> Terms:
    room = {**rooms.room(), "templates": {"below": OFFERED}}
    room["room"] = {**room["room"], "purposes": {"fraud": "find fraud", "care": "plan care"}}
    return Terms.of(room)


TERMS = terms()
ASKED = Question(SQL, "analyst", purpose="fraud")


def planned(question: Question, contract_hash: str = "0" * 64) -> Plan:
    return compile_question(question, TERMS, contract_hash)


def template() -> Plan:
    use = use_of("below", {"most": 3}, TERMS)
    return planned(replace(ASKED, sql=filled(use, TERMS), template=use))


def trained() -> TrainPlan:
    job = Job.of(training.job({"kind": "logistic"}))
    return compile_training(job, training.terms(), "0" * 64, "university")


def scored() -> Rows:
    contract = scoring.terms()
    return Rows(compile_scoring(scoring.MODEL, scoring.TABLE, contract, "0" * 64, "bank_a"), 1)


UNDECIDED = Approval()


def codes(plan: Ruled, decided: Approval = UNDECIDED, **policy: Any) -> list[Code]:
    own = Own("alpha", OwnPolicy.model_validate(policy))
    found = check(plan, TERMS, own, Spent(approval=decided), TODAY)
    return [violation.code for violation in found]


def test_a_plan_waits_until_a_person_decides() -> None:
    plan, person = planned(ASKED), {"approval": "person"}
    given = Approval(plan.hash, given=True)
    denied = Approval(plan.hash, denied=True, reason="too narrow")
    assert codes(plan) == codes(plan, given, **person) == []
    assert codes(plan, **person) == [Code.APPROVAL_NEEDED]
    assert codes(plan, denied, **person) == [Code.APPROVAL_DENIED]
    own = Own("alpha", OwnPolicy(approval="person"))
    (needed,) = check(plan, TERMS, own, Spent(approval=Approval(plan.hash)), TODAY)
    assert f"approvals approve {plan.hash[:12]}" in needed.remedy
    (refused,) = check(plan, TERMS, own, Spent(approval=denied), TODAY)
    assert refused.message == "a person at alpha denied this plan: too narrow"


def test_nobody_is_asked_to_approve_what_is_refused_anyway() -> None:
    own = Own("alpha", OwnPolicy(approval="person", min_group=12))
    plan = planned(ASKED)
    found = check(plan, TERMS, own, Spent(approval=Approval(plan.hash)), TODAY)
    assert [one.code for one in found] == [Code.GROUP_TOO_SMALL, Code.APPROVAL_NEEDED]
    assert "Meet the other points first" in found[1].remedy
    assert plan.hash[:12] not in found[1].remedy


def test_what_all_signed_needs_no_person() -> None:
    assert codes(template(), approval="person") == []
    assert codes(template(), only="templates") == []
    assert codes(planned(ASKED), only="templates") == [Code.TEMPLATES_ONLY]


def test_a_template_without_some_members_is_not_what_all_signed() -> None:
    without = replace(template(), without=("gamma",))
    assert Code.APPROVAL_NEEDED in codes(without, approval="person")
    assert Code.TEMPLATES_ONLY in codes(without, only="templates")


@pytest.mark.parametrize(
    ("plan", "kind"), [(planned(ASKED), "query"), (trained(), "training"), (scored(), "scoring")]
)
def test_a_member_says_which_kinds_of_plans_wait(plan: Ruled, kind: str) -> None:
    assert kind_of(plan) == kind
    for asked in ("query", "training", "scoring"):
        policy = OwnPolicy(approval="person", approval_for=(asked,))
        assert needs_person(plan, policy) == (asked == kind)
    assert needs_person(plan, OwnPolicy(approval="person"))
    assert not needs_person(plan, OwnPolicy())
    with pytest.raises(ConfigInvalid, match="approval_for: nothing is approved by a person"):
        OwnPolicy(approval_for=("query",)).check("alpha", TERMS)


@pytest.mark.parametrize(
    "changed",
    [
        {"sql": SQL + " LIMIT 2"},
        {"sql": "SELECT channel, SUM(amt) FROM transactions GROUP BY channel"},
        {"recipient": "alpha"},
        {"purpose": "care"},
        {"min_group": 3},
    ],
)
def test_whatever_changes_a_plan_needs_another_approval(changed: dict[str, Any]) -> None:
    assert hash_of(planned(replace(ASKED, **changed))) != hash_of(planned(ASKED))


def test_another_version_of_the_contract_needs_another_approval() -> None:
    assert hash_of(planned(ASKED, "1" * 64)) != hash_of(planned(ASKED))
