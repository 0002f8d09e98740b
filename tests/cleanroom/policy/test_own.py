"""A member's own policy only ever adds refusals, and can't be laxer than the contract."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rooms
import scoring
import training
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.config import MemberConfig
from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.errors import ConfigInvalid
from cleanroom.learning.job import Job
from cleanroom.plan.plan import Plan, Use
from cleanroom.policy.check import by_contract, check
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own, OwnColumn, OwnPolicy
from cleanroom.query.compile import compile_query
from cleanroom.query.scoring import compile_scoring
from cleanroom.query.training import compile_training

TODAY = dt.date(2026, 3, 1)
COUNT = "SELECT channel, COUNT(*), MIN(amt) FROM transactions GROUP BY channel"


def _terms(**privacy: object) -> Terms:
    room = rooms.room(10, untested_cells="opened", max_comparisons=4, **privacy)
    room["room"]["purposes"] = {"fraud": "find fraud", "care": "plan care"}
    return Terms.of(room)


TERMS = _terms()


def plan_of(sql: str = COUNT, protocol: str = "mpc", **asked: Any) -> Plan:
    asked = {"purpose": "fraud", **asked}
    return compile_query(sql, TERMS, "0" * 64, "analyst", protocol, **asked)


def ruled(plan: Plan, **policy: object) -> tuple[Violation, ...]:
    own = OwnPolicy.model_validate(policy)
    own.check("alpha", TERMS)
    return check(plan, TERMS, Own("alpha", own), Spent(), TODAY)


AMT = "transactions.amt"
REFUSED: list[tuple[Code, str, dict[str, object], dict[str, object], dict[str, object]]] = [
    (Code.RECIPIENT_REFUSED, "recipients", {"recipients": ()}, {}, {"recipients": ("analyst",)}),
    (Code.PURPOSE_REFUSED, "purposes", {"purposes": ("care",)}, {}, {"purposes": ("fraud",)}),
    (Code.GROUP_TOO_SMALL, "min_group", {"min_group": 11}, {}, {"min_group": 10}),
    (
        Code.COLUMN_USE_NOT_ALLOWED,
        f"columns.{AMT}.without",
        {"columns": {AMT: {"without": ["min"]}}},
        {},
        {"columns": {AMT: {"without": ["max"]}}},
    ),
    (
        Code.CELLS_NOT_TESTED,
        "untested_cells",
        {"untested_cells": "refused"},
        {"protocol": "he", "sql": "SELECT COUNT(*) FROM transactions"},
        {},
    ),
    (
        Code.TOO_FEW_CONTRIBUTORS,
        "min_contributors",
        {"min_contributors": 4},
        {"protocol": "he", "sql": "SELECT COUNT(*) FROM transactions"},
        {"min_contributors": 3},
    ),
]


@pytest.mark.parametrize(("code", "key", "policy", "asked", "lets"), REFUSED)
def test_each_key_refuses_and_says_so(
    code: Code, key: str, policy: dict[str, Any], asked: dict[str, Any], lets: dict[str, Any]
) -> None:
    plan = plan_of(**asked)
    (violation,) = ruled(plan, **policy)
    assert (violation.code, violation.party) == (code, "alpha")
    assert violation.rule == f"policy.{key}"
    assert violation.remedy.endswith("ave alpha change its own policy.")
    assert ruled(plan, **lets) == ruled(plan) == ()


def test_the_remedy_passes() -> None:
    assert "Ask with min_group = 20, or" in ruled(plan_of(), min_group=20)[0].remedy
    assert ruled(plan_of(min_group=20), min_group=20) == ()
    assert plan_of(min_group=5).root.min_group == 10


def test_a_member_that_wants_groups_tested_takes_no_part_on_ciphertexts() -> None:
    alone = Terms.of(rooms.room(1))
    sql, own = "SELECT COUNT(*) FROM transactions", Own("alpha", OwnPolicy(min_group=5))
    plan = compile_query(sql, alone, "0" * 64, "analyst", "he")
    (violation,) = check(plan, alone, own, Spent(), TODAY)
    assert (violation.code, violation.rule) == (Code.CELLS_NOT_TESTED, "policy.min_group")
    assert "Ask with protocol 'mpc' and min_group = 5, or" in violation.remedy
    remedied = compile_query(sql, alone, "0" * 64, "analyst", "mpc", min_group=5)
    assert check(remedied, alone, own, Spent(), TODAY) == ()
    assert check(plan, alone, Own("alpha", OwnPolicy(min_group=1)), Spent(), TODAY) == ()


def test_what_no_noisy_query_tests_is_no_policy() -> None:
    with pytest.raises(ConfigInvalid, match="no group is tested"):
        OwnPolicy(min_group=20).check("alpha", rooms.terms(10, release="dp"))


LAXER: list[tuple[str, dict[str, object]]] = [
    ("policy.min_group: 9 is laxer than the contract's 10", {"min_group": 9}),
    ("policy.min_contributors: 2 is laxer", {"min_contributors": 2}),
    ("policy.recipients: 'beta' is no recipient", {"recipients": ["beta"]}),
    ("policy.purposes: the contract names no purpose 'fun'", {"purposes": ["fun"]}),
    ("policy.query_epsilon: more than the contract's epsilon 1", {"query_epsilon": 2.0}),
    ("policy.columns.transactions.amt.min_width: it belongs", {"columns": {AMT: {"min_width": 1}}}),
    ("policy.columns.beta.claims.level: alpha holds no", {"columns": {"beta.claims.level": {}}}),
    ("policy.columns.alpha.people.age: alpha holds no", {"columns": {"alpha.people.age": {}}}),
]


@pytest.mark.parametrize(("message", "policy"), LAXER)
def test_a_policy_that_is_laxer_or_means_nothing_is_no_policy(
    message: str, policy: dict[str, object]
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        OwnPolicy.model_validate(policy).check("alpha", TERMS)
    assert refused.value.message.startswith(message)


def test_the_file_of_a_member_holds_its_policy(tmp_path: Path) -> None:
    path = tmp_path / "alpha.toml"
    text = 'identity = "alpha"\ncontract = "room.contract"\n[policy]\nmin_group = 20\n'
    path.write_text(f'{text}[policy.columns."{AMT}"]\nwithout = ["min"]\n', encoding="utf-8")
    policy = MemberConfig.load(path).policy
    assert (policy.min_group, policy.columns[AMT].without) == (20, (Right.MIN,))
    path.write_text(f"{text}untested_cells = 'opened'\n", encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=r"policy\.untested_cells"):
        MemberConfig.load(path)


def test_a_table_that_was_erased_here_is_refused_by_name() -> None:
    own, other = Own("alpha", OwnPolicy()), Spent(erased=frozenset({"beta.claims"}))
    assert check(plan_of(), TERMS, own, other, TODAY) == ()
    spent = Spent(erased=frozenset({"transactions"}))
    (violation,) = check(plan_of(), TERMS, own, spent, TODAY)
    assert (violation.code, violation.party) == (Code.TABLE_ERASED, "alpha")
    assert "table transactions was erased at alpha" in violation.message


def test_trainings_and_scorings_come_through_the_same_door() -> None:
    terms = training.terms(min_group=5)
    job = Job.of(training.job({"kind": "logistic"}))
    model = compile_training(job, terms, "0" * 64, "university")
    own = Own("north", OwnPolicy(recipients=(), min_group=6, min_contributors=5))
    found = check(model, terms, own, Spent(), TODAY)
    assert [v.code for v in found] == [
        Code.RECIPIENT_REFUSED,
        Code.TOO_FEW_CONTRIBUTORS,
        Code.GROUP_TOO_SMALL,
    ]
    agreed = scoring.terms()
    plan = compile_scoring(scoring.MODEL, scoring.TABLE, agreed, "0" * 64, "bank_a")
    own = Own("bank_b", OwnPolicy(recipients=()))
    (refused,) = check(Rows(plan, 1), agreed, own, Spent(), TODAY)
    assert (refused.code, refused.party) == (Code.RECIPIENT_REFUSED, "bank_b")


RIGHTS = st.lists(st.sampled_from(Right), unique=True).map(tuple)
POLICIES = st.builds(
    OwnPolicy,
    recipients=st.none() | st.just(()) | st.just(("analyst",)),
    purposes=st.none() | st.just(()) | st.just(("fraud",)),
    min_group=st.none() | st.integers(10, 99),
    min_contributors=st.none() | st.integers(3, 9),
    untested_cells=st.none() | st.just("refused"),
    max_comparisons=st.none() | st.integers(0, 3),
    overlap=st.none() | st.just("refused"),
    only=st.none() | st.just("templates"),
    approval=st.sampled_from(["automatic", "person"]),
    columns=st.dictionaries(
        st.just(AMT),
        st.builds(
            OwnColumn,
            without=RIGHTS,
            filter_by=st.sampled_from(["any", "equality", "range"]),
            min_width=st.none() | st.integers(1, 99),
        ),
    ),
)
PLANS = [
    plan_of(),
    plan_of("SELECT COUNT(*) FROM transactions", "he"),
    plan_of("SELECT COUNT(*) FROM transactions WHERE amt > 5 AND cust = 7"),
    plan_of(
        "SELECT COUNT(*) FROM alpha.people p JOIN transactions t ON p.id = t.cust"
        " AND p.income < t.amt"
    ),
]


@given(
    POLICIES,
    st.sampled_from(PLANS),
    st.sampled_from(["", "fraud", "fun"]),
    st.sampled_from(["analyst", "beta"]),
    st.sets(st.builds(Use, st.just("transactions"), st.just("amt"), st.sampled_from(["x", "min"]))),
    st.sampled_from([1, 10, 50]),
    st.sampled_from([TODAY, dt.date(2100, 1, 1)]),
    st.sampled_from([0, 2, 5]),
)
def test_no_own_policy_lifts_a_refusal_of_the_contract(
    policy: OwnPolicy,
    plan: Plan,
    purpose: str,
    recipient: str,
    uses: set[Use],
    min_group: int,
    today: dt.date,
    compared: int,
) -> None:
    root = replace(plan.root, min_group=min_group)
    changed = replace(plan, purpose=purpose, recipient=recipient, root=root, uses=tuple(uses))
    spent = Spent(comparisons=dict.fromkeys([("alpha.people", "income")], compared))
    ruled = check(changed, TERMS, Own("alpha", policy), spent, today)
    assert set(by_contract(changed, TERMS, today)) <= set(ruled)
    assert set(check(changed, TERMS, Own("alpha"), spent, today)) <= set(ruled)
