"""Who may ask for which propagation, over how many rounds, how often."""

import datetime as dt
from dataclasses import replace

import flows
import pytest

from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.policy.check import by_contract as check
from cleanroom.policy.check import check as ruled
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.policy.queries import unavailable
from cleanroom.query.compile import compile_query
from cleanroom.sql.propagation import statement

TODAY = dt.date(2026, 11, 22)


def plan_of(agreed: Terms, recipient: str = "bank_a", rounds: int = 2) -> Plan:
    return compile_query(statement("propagate", "risk", rounds), agreed, "0" * 64, recipient)


def codes(plan: Plan, agreed: Terms) -> list[Code]:
    return [violation.code for violation in check(plan, agreed, TODAY)]


@pytest.mark.parametrize("release", ["gated", "sdc"])
def test_for_whom_it_names_and_nobody_else(release: str) -> None:
    privacy = {"release": release, "min_group": 10}
    agreed = Terms.of({**flows.contract(to=["bank_a", "bank_b"]), "privacy": privacy})
    for bank in ("bank_a", "bank_b"):
        assert codes(plan_of(agreed, bank), agreed) == []
    assert codes(plan_of(agreed, "bank_c"), agreed) == [Code.PROPAGATION_NOT_FOR_RECIPIENT]
    assert not unavailable(agreed)


def test_over_as_many_rounds_as_all_signed() -> None:
    agreed = flows.terms(max_rounds=3)
    assert codes(plan_of(agreed, rounds=3), agreed) == []
    (violation,) = check(plan_of(agreed, rounds=4), agreed, TODAY)
    assert violation.code is Code.PROPAGATION_TOO_FAR
    assert violation.remedy == "Ask for 3 or fewer."


def test_no_plan_opens_what_others_keep() -> None:
    agreed = flows.terms()
    plan = plan_of(agreed)
    assert plan.propagation is not None
    shown = replace(plan, root=replace(plan.root, hidden=False))
    node = replace(plan.propagation, flow=replace(plan.propagation.flow, name="other"))
    other = replace(plan, root=replace(plan.root, input=replace(plan.root.input, input=node)))
    for altered in (replace(plan, recipient="bank_b"), shown, other):
        assert codes(altered, agreed) == [Code.PROPAGATION_ALTERED]


@pytest.mark.parametrize("before", [0, 2, 3, 90])
def test_nobody_asks_oftener_than_all_signed(before: int) -> None:
    agreed = flows.terms(per_day=3)
    found = ruled(plan_of(agreed), agreed, Own("bank_b"), Spent(counted=before), TODAY)
    assert [v.code for v in found] == [Code.PROPAGATION_ASKED_TOO_OFTEN] * (before >= 3)
    assert all(v.party == "bank_b" and "3 are allowed" in v.message for v in found)


def test_a_member_s_own_policy_holds_too() -> None:
    agreed = flows.terms()
    for policy, expected in (
        (OwnPolicy(recipients=()), [Code.RECIPIENT_REFUSED]),
        (OwnPolicy(approval="person"), []),  # what the contract offers was approved with it
        (OwnPolicy(only="templates"), []),
    ):
        found = ruled(plan_of(agreed), agreed, Own("bank_b", policy), Spent(), TODAY)
        assert [violation.code for violation in found] == expected
    erased = Spent(erased=frozenset({"payments"}))
    found = ruled(plan_of(agreed), agreed, Own("bank_b"), erased, TODAY)
    assert [violation.code for violation in found] == [Code.TABLE_ERASED]
