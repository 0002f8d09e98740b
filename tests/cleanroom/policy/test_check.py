"""Each rule refuses what it should, all breaches come at once, and asking more never helps."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rooms
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.nodes import Aggregate, Union
from cleanroom.plan.plan import Plan, Use
from cleanroom.plan.private import Private
from cleanroom.plan.release import Release
from cleanroom.policy.check import by_contract as check
from cleanroom.policy.model import Code
from cleanroom.policy.queries import unavailable

TODAY = dt.date(2026, 3, 1)
SUM = Use("alpha.t", "x", "sum")


def _room(**privacy: object) -> dict[str, Any]:
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7001 + i}"}
        for i, name in enumerate(("alpha", "beta", "gamma"))
    }
    column = {"type": "INTEGER", "bounds": [0, 9], "rights": {"analyst": ["sum", "avg"]}}
    return {
        "room": {
            "name": "r",
            "version": 1,
            "purpose": "p",
            "lawful_basis": "l",
            "retention_days": 1,
            "expires": dt.date(2026, 12, 31),
        },
        "coordinator": {"address": "127.0.0.1:7000"},
        "members": {**computing, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": 10, **privacy},
        "tables": {
            "alpha.t": {"person": "id", "max_rows": 9, "columns": {"id": column, "x": column}}
        },
    }


def _shared(**privacy: object) -> Terms:
    """Return terms with a table that alpha, beta and gamma share."""
    room = _room(**{"untested_cells": "opened", **privacy})
    members = ["alpha", "beta", "gamma"]
    room["tables"]["ours"] = {**room["tables"]["alpha.t"], "members": members}
    return Terms.of(room)


def _plan(*uses: Use, recipient: str = "analyst", min_group: int = 10) -> Plan:
    leaf = Leaf("alpha", "SELECT 1", (), (), 1, ())
    grouped = Aggregate(leaf, (), (("p",),), (), ())
    release = Release(grouped, min_group, None, (), hidden=True)
    return Plan("h", recipient, "SELECT 1", uses, release, (), "SELECT 1")


TERMS = Terms.of(_room())
ALLOWED = _plan(SUM)
COUNTED = replace(ALLOWED, root=replace(ALLOWED.root, hidden=False))
CELLS = replace(ALLOWED, ciphertexts=Ciphertexts("bfv-sum-1", (), ("n",), None, 9))
SHARED = replace(
    CELLS,
    root=replace(
        ALLOWED.root,
        input=replace(
            ALLOWED.root.input,
            input=Union(tuple(Leaf(m, "", (), (), 1, (), ("ours",)) for m in ("alpha", "beta"))),
        ),
    ),
)
ROWS = replace(ALLOWED, root=replace(ALLOWED.root, repeated="n"))


def _nobody() -> Terms:
    room = _room()
    for name in ("alpha", "beta", "gamma"):
        room["members"][name] = {"roles": ["input"]}
    return Terms.of(room)


def _purposes(**rights: list[str]) -> Terms:
    """Return terms with named purposes; by default every right holds for each of them."""
    room = _room()
    room["room"]["purposes"] = {"fraud": "find fraud", "care": "plan care"}
    if rights:
        room["tables"]["alpha.t"]["columns"]["x"]["rights"]["analyst"] = rights
    return Terms.of(room)


PURPOSES = _purposes()
REFUSED: dict[Code, tuple[Plan, Terms, dt.date]] = {
    Code.COLUMN_USE_NOT_ALLOWED: (_plan(Use("alpha.t", "x", "filter")), TERMS, TODAY),
    Code.NOT_A_RECIPIENT: (_plan(recipient="beta"), TERMS, TODAY),
    Code.CONTRACT_EXPIRED: (ALLOWED, TERMS, dt.date(2027, 1, 1)),
    Code.GROUP_TOO_SMALL: (_plan(SUM, min_group=9), TERMS, TODAY),
    Code.CELLS_NOT_TESTED: (CELLS, TERMS, TODAY),
    Code.TOO_FEW_CONTRIBUTORS: (SHARED, _shared(), TODAY),
    Code.RULES_LEFT_OUT: (ALLOWED, Terms.of(_room(round_to=5)), TODAY),
    Code.GROUP_COUNT_OPENED: (COUNTED, TERMS, TODAY),
    Code.ROWS_NOT_RELEASED: (ROWS, TERMS, TODAY),
    Code.NOBODY_COMPUTES: (ALLOWED, _nobody(), TODAY),
    Code.PURPOSE_MISSING: (ALLOWED, PURPOSES, TODAY),
    Code.PURPOSE_UNKNOWN: (replace(ALLOWED, purpose="frau"), PURPOSES, TODAY),
}


def test_an_agreed_plan_runs() -> None:
    assert check(ALLOWED, TERMS, TODAY) == ()
    assert check(ALLOWED, TERMS, TERMS.room.expires) == ()


# Each of these has its rule tested in the file of its part.
OF_OTHERS = {Code.MODEL_NOT_ALLOWED, Code.TOO_MANY_ROWS, Code.NOISE_MISSING, Code.NOISE_NOT_ENOUGH}
OF_OTHERS |= {Code.EPSILON_TOO_LARGE, Code.BUDGET_EXHAUSTED}
OF_OTHERS |= {Code.PURPOSE_REFUSED, Code.RECIPIENT_REFUSED, Code.TABLE_ERASED}
OF_OTHERS |= {Code.PERSON_SINGLED_OUT, Code.FILTER_NOT_ALLOWED, Code.RANGE_TOO_NARROW}
OF_OTHERS |= {Code.COMPARISONS_EXHAUSTED, Code.ROWS_OVERLAP}  # see test_asked.py
OF_OTHERS |= {Code.GATES_ALONE, Code.GATE_ALTERED, Code.GATE_NOT_FOR_RECIPIENT}
OF_OTHERS |= {Code.GATE_ASKED_TOO_OFTEN, Code.PROPAGATION_ASKED_TOO_OFTEN}
OF_OTHERS |= {Code.PROPAGATION_ALTERED, Code.PROPAGATION_TOO_FAR}
OF_OTHERS |= {Code.PROPAGATION_NOT_FOR_RECIPIENT}
OF_OTHERS |= {Code.TEMPLATES_ONLY, Code.APPROVAL_NEEDED, Code.APPROVAL_DENIED}
OF_OTHERS |= {Code.PROFILE_NOT_ALLOWED, Code.LINKAGE_NOT_FOR_RECIPIENT}


def test_every_code_has_a_test() -> None:
    others = [p for p in Path(__file__).parent.glob("test_*.py") if p.name != Path(__file__).name]
    texts = "".join(path.read_text(encoding="utf-8") for path in others)
    assert [code for code in OF_OTHERS if f"Code.{code.name}" not in texts] == []


@pytest.mark.parametrize("code", [code for code in Code if code not in OF_OTHERS])
def test_each_code_has_its_rule(code: Code) -> None:
    assert [v.code for v in check(*REFUSED[code])] == [code]


def test_a_right_holds_for_its_purpose_alone() -> None:
    terms = _purposes(fraud=["sum"], care=["avg"])
    assert check(replace(ALLOWED, purpose="fraud"), terms, TODAY) == ()
    (violation,) = check(replace(ALLOWED, purpose="care"), terms, TODAY)
    assert violation.code is Code.COLUMN_USE_NOT_ALLOWED
    assert "for analyst and care; allowed: avg" in violation.message


def test_without_a_purpose_no_right_of_one_holds() -> None:
    codes = {v.code for v in check(ALLOWED, _purposes(fraud=["sum"], care=["avg"]), TODAY)}
    assert codes == {Code.PURPOSE_MISSING, Code.COLUMN_USE_NOT_ALLOWED}


def test_a_refusal_names_the_purposes_there_are() -> None:
    for plan in (ALLOWED, replace(ALLOWED, purpose="frau")):
        (violation,) = check(plan, PURPOSES, TODAY)
        assert violation.remedy == "Ask for one of the contract's: fraud, care."
    (violation,) = check(replace(ALLOWED, purpose="fraud"), TERMS, TODAY)
    assert violation.remedy == "Ask without a purpose."


def test_terms_under_which_no_query_can_run_are_known_beforehand() -> None:
    assert unavailable(rooms.terms()) == ()
    (gated,) = unavailable(rooms.terms(release="gated"))
    assert "release = 'gated'" in gated.message


def test_what_can_run_where_nobody_computes_is_known_beforehand() -> None:
    room = rooms.room(10)
    for name in rooms.OWNERS:
        room["members"][name] = {"roles": ["input"]}
    (nobody,) = unavailable(Terms.of(room))
    assert nobody.code is Code.NOBODY_COMPUTES
    for agreed in ({"min_group": 1}, {"untested_cells": "opened"}):
        room["privacy"] = {**rooms.room(10)["privacy"], **agreed}
        assert unavailable(Terms.of(room)) == ()


def test_where_nobody_computes_some_table_has_to_have_enough_owners() -> None:
    room = rooms.room()
    for name in rooms.OWNERS:
        room["members"][name] = {"roles": ["input"]}
    room["tables"] = {"transactions": room["tables"]["transactions"]}
    assert unavailable(Terms.of(room)) == ()
    room["privacy"]["min_contributors"] = 4
    assert [v.code for v in unavailable(Terms.of(room))] == [Code.NOBODY_COMPUTES]


def test_cells_are_opened_untested_where_all_agreed_to_it() -> None:
    (violation,) = check(CELLS, TERMS, TODAY)
    assert "asks for min_group = 10" in violation.message
    assert "untested_cells = 'opened'" in violation.remedy
    assert check(CELLS, Terms.of(_room(untested_cells="opened")), TODAY) == ()
    assert check(CELLS, Terms.of(_room(min_group=1)), TODAY) == ()


def test_totals_on_ciphertexts_hide_among_as_many_as_all_agreed_on() -> None:
    (violation,) = check(SHARED, _shared(), TODAY)
    assert violation.message == (
        "on ciphertexts the totals of ours would hide among those of 2 owners besides analyst: "
        "alpha, beta; min_contributors asks for 3"
    )
    assert "protocol 'mpc'" in violation.remedy
    assert "min_contributors = 2" in violation.remedy
    assert check(SHARED, _shared(min_contributors=2), TODAY) == ()
    (smaller,) = check(replace(SHARED, without=("gamma",)), _shared(), TODAY)
    assert "Leave nobody out" in smaller.remedy


def test_a_recipient_hides_nobody_from_itself() -> None:
    agreed = _shared(min_contributors=2)
    own = {v.code: v.message for v in check(replace(SHARED, recipient="alpha"), agreed, TODAY)}
    assert "1 owners besides alpha: beta" in own[Code.TOO_FEW_CONTRIBUTORS]


def test_a_table_of_one_owner_is_opened_as_what_it_is() -> None:
    assert check(CELLS, _shared(min_contributors=9), TODAY) == ()


def test_private_totals_are_cells_that_nobody_tests() -> None:
    sought = Private((), 1, 0, (9,), 1)
    plan = replace(CELLS, ciphertexts=replace(CELLS.ciphertexts, private=sought))
    (violation,) = check(plan, TERMS, TODAY)
    assert violation.code is Code.CELLS_NOT_TESTED
    assert "totals of rows that nobody else knows" in violation.message
    assert "mpc" not in violation.remedy
    assert check(plan, Terms.of(_room(min_group=1)), TODAY) == ()


def test_private_totals_hide_among_no_fewer_owners() -> None:
    sought = Private((), 1, 0, (9,), 1)
    plan = replace(SHARED, ciphertexts=replace(SHARED.ciphertexts, private=sought))
    (violation,) = check(plan, _shared(), TODAY)
    assert violation.code is Code.TOO_FEW_CONTRIBUTORS
    assert "mpc" not in violation.remedy


@pytest.mark.parametrize("right", ["private_filter", "private_weights"])
def test_each_kind_of_private_parameter_needs_a_right_of_its_own(right: str) -> None:
    (violation,) = check(_plan(Use("alpha.t", "x", right)), TERMS, TODAY)
    assert violation.code is Code.COLUMN_USE_NOT_ALLOWED
    assert f"used as '{right}' without that right" in violation.message
    granted = _room()
    granted["tables"]["alpha.t"]["columns"]["x"]["rights"]["analyst"].append(right)
    assert check(_plan(Use("alpha.t", "x", right)), Terms.of(granted), TODAY) == ()


def test_a_plan_names_every_rule_that_the_contract_asks_for() -> None:
    agreed = Terms.of(_room(round_to=5, redact=7, min_members=2, top_two=90, p_percent=10))
    found = check(ALLOWED, agreed, TODAY)
    assert {v.code for v in found} == {Code.RULES_LEFT_OUT}
    assert {v.message for v in found} == {
        f"the plan leaves out {rule}" for rule in agreed.privacy.tested if "min_group" not in rule
    }
    told = replace(ALLOWED, root=replace(ALLOWED.root, rules=agreed.privacy.tested))
    assert check(told, agreed, TODAY) == ()


def test_exact_totals_are_refused_where_noise_is_agreed() -> None:
    (violation,) = check(ALLOWED, Terms.of(_room(release="dp")), TODAY)
    assert violation.code is Code.NOISE_MISSING


def test_a_plan_without_persons_is_refused() -> None:
    grouped = replace(ALLOWED.root.input, persons=())
    plan = replace(ALLOWED, root=replace(ALLOWED.root, input=grouped))
    assert [v.code for v in check(plan, TERMS, TODAY)] == [Code.GROUP_TOO_SMALL]


def test_rows_are_refused_where_groups_have_a_smallest_size() -> None:
    for least in (2, 10):
        (violation,) = check(ROWS, Terms.of(_room(min_group=least)), TODAY)
        assert f"a group of one person, min_group asks for {least}" in violation.message
        assert "GROUP BY" in violation.remedy
        assert "min_group = 1" in violation.remedy
    alone = replace(ROWS, root=replace(ROWS.root, min_group=1))
    assert check(alone, Terms.of(_room(min_group=1)), TODAY) == ()


def test_what_the_contract_lets_open_may_still_be_hidden() -> None:
    agreed = Terms.of(_room(group_count="open"))
    assert check(COUNTED, agreed, TODAY) == check(ALLOWED, agreed, TODAY) == ()


def test_every_refusal_names_its_rule_and_a_change_that_passes() -> None:
    for plan, terms, today in REFUSED.values():
        for violation in check(plan, terms, today):
            assert violation.rule.split(".")[0] in Terms.model_fields
            assert violation.remedy.endswith(".")
            assert f"Rule: {violation.rule}. Remedy: " in str(violation)


def test_messages_name_column_use_recipient_and_what_is_allowed() -> None:
    (violation,) = check(*REFUSED[Code.COLUMN_USE_NOT_ALLOWED])
    assert violation.party == "alpha"
    assert violation.message == (
        "column alpha.t.x used as 'filter' without that right for analyst; allowed: sum, avg"
    )


def test_every_breach_is_reported() -> None:
    terms = Terms.of(_room(release="sdc", top_two=90))
    bad = _plan(Use("alpha.t", "id", "join"), SUM, recipient="beta", min_group=1)
    bad = replace(bad, root=replace(bad.root, repeated="n", hidden=False), purpose="fun")
    codes = {v.code for v in check(bad, terms, dt.date(2030, 1, 1))}
    on_ciphertexts = {Code.CELLS_NOT_TESTED, Code.TOO_FEW_CONTRIBUTORS}
    other = {Code.NOBODY_COMPUTES, Code.PURPOSE_MISSING}
    other |= on_ciphertexts
    assert codes == set(Code) - OF_OTHERS - other


@given(st.frozensets(st.builds(Use, st.just("alpha.t"), st.just("x"), st.sampled_from(Right))))
def test_asking_for_more_never_lifts_a_refusal(extra: frozenset[Use]) -> None:
    refused = _plan(Use("alpha.t", "x", "filter"))
    wider = replace(refused, uses=(*refused.uses, *extra))
    assert set(check(refused, TERMS, TODAY)) <= set(check(wider, TERMS, TODAY))


@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_unknown_names_are_denied(table: str, column: str, right: str) -> None:
    assert check(_plan(Use(table, f"?{column}", right)), TERMS, TODAY)
