"""A linkage is used by those whom the contract names, in whatever query."""

import datetime as dt

import pytest
from linking import terms_of

from cleanroom.contract.columns import Right
from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plan import Plan
from cleanroom.policy.check import by_contract, check
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own, OwnColumn, OwnPolicy
from cleanroom.query.compile import compile_query

TODAY = dt.date(2026, 11, 22)
BY_RUNG = "SELECT rung, COUNT(*) AS n FROM same_person GROUP BY rung"
NESTED = "SELECT COUNT(*) FROM (SELECT left_id, COUNT(*) AS n FROM same_person GROUP BY left_id) g"


def _terms(min_group: int = 1) -> Terms:
    terms = terms_of()
    terms["members"]["stranger"] = {"roles": ["result"]}
    terms["privacy"]["min_group"] = min_group
    return Terms.of(terms)


def _plan(sql: str, recipient: str, min_group: int = 1) -> Plan:
    return compile_query(sql, _terms(min_group), "0" * 64, recipient)


@pytest.mark.parametrize("sql", [BY_RUNG, NESTED])
def test_a_linkage_is_for_those_whom_it_names(sql: str) -> None:
    (found,) = (v for v in by_contract(_plan(sql, "stranger"), _terms(), TODAY) if not v.party)
    assert found.code is Code.LINKAGE_NOT_FOR_RECIPIENT
    assert "same_person is not for stranger, but for analyst" in found.message
    assert by_contract(_plan(BY_RUNG, "analyst"), _terms(), TODAY) == ()


def test_whoever_uses_it_needs_the_rights_of_what_is_joined() -> None:
    sql = "SELECT p.surname, COUNT(*) FROM hospital_a.patients p JOIN same_person l "
    sql += "ON p.id = l.left_id GROUP BY p.surname"
    found = by_contract(_plan(sql, "analyst"), _terms(), TODAY)
    assert [v.code for v in found] == [Code.COLUMN_USE_NOT_ALLOWED]
    assert "hospital_a.patients.surname used as 'group'" in found[0].message


def test_an_owner_whose_persons_are_not_to_be_joined_is_heeded() -> None:
    policy = OwnPolicy(columns={"hospital_b.patients.id": OwnColumn(without=(Right.JOIN,))})
    found = check(_plan(BY_RUNG, "analyst"), _terms(), Own("hospital_b", policy), Spent(), TODAY)
    assert [v.code for v in found] == [Code.COLUMN_USE_NOT_ALLOWED]


def test_constants_meet_no_person_of_either_side() -> None:
    terms = _terms(10)
    for side in ("left_id", "right_id"):
        sql = f"SELECT COUNT(*) FROM same_person WHERE {side} = 'rec-1'"
        plan = compile_query(sql, terms, "0" * 64, "analyst")
        codes = {v.code for v in by_contract(plan, terms, TODAY)}
        assert Code.PERSON_SINGLED_OUT in codes


SIDES = (
    "SELECT l.left_id AS p, sex FROM same_person l JOIN hospital_b.patients b ON id = l.right_id",
    "SELECT b.id, b.sex FROM hospital_b.patients b",
)
UNLINKED = "NOT IN (SELECT right_id FROM same_person)"
NOT_UNLINKED = (
    "",
    "NOT IN (SELECT left_id FROM same_person)",
    "NOT IN (SELECT right_id FROM same_person WHERE rung = 1)",
    "IN (SELECT right_id FROM same_person)",
)


@pytest.mark.parametrize("wanted", [*NOT_UNLINKED, UNLINKED])
def test_nobody_counts_under_the_numbers_of_both_sides(wanted: str) -> None:
    where = wanted and f" WHERE b.id {wanted}"
    sql = f"SELECT sex, COUNT(*) FROM ({' UNION ALL '.join(SIDES)}{where}) u GROUP BY sex"
    if wanted == UNLINKED:
        assert by_contract(_plan(sql, "analyst", 10), _terms(10), TODAY) == ()
        return
    with pytest.raises(UnsupportedQuery, match="one person may have two numbers"):
        _plan(sql, "analyst", 10)


def test_pairs_exist_on_shares_alone() -> None:
    with pytest.raises(UnsupportedQuery):
        compile_query(BY_RUNG, _terms(), "0" * 64, "analyst", "he")
