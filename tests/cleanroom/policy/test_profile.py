"""When owners may tell of their rows at all."""

import datetime as dt
from typing import Any

import rooms

from cleanroom.contract.terms import Terms
from cleanroom.policy.approval import needs_person
from cleanroom.policy.check import by_contract, check
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code
from cleanroom.policy.own import Own, OwnPolicy
from cleanroom.query.profile import compile_profile

TODAY = dt.date(2026, 3, 1)


def terms(tells: tuple[str, ...] = ("rows",), **privacy: Any) -> Terms:
    room = rooms.room(10, **privacy)
    room["tables"]["beta.claims"]["profile"] = tells
    return Terms.of(room)


def codes(agreed: Terms, recipient: str = "analyst") -> list[Code]:
    plan = compile_profile("beta.claims", agreed, "0" * 64, recipient)
    return [violation.code for violation in by_contract(plan, agreed, TODAY)]


def test_owners_tell_what_all_signed_to_whoever_may_use_a_column() -> None:
    assert codes(terms()) == []
    assert codes(terms(())) == [Code.PROFILE_NOT_ALLOWED]
    assert codes(terms(), "gamma") == [Code.NOT_A_RECIPIENT, Code.PROFILE_NOT_ALLOWED]
    assert codes(terms(release="dp")) == [Code.NOISE_MISSING]


def test_an_owner_may_tell_nothing_to_some_and_a_person_need_not_approve() -> None:
    agreed = terms()
    plan = compile_profile("beta.claims", agreed, "0" * 64, "analyst")
    own = OwnPolicy(recipients=(), approval="person", only="templates")
    (refused,) = check(plan, agreed, Own("beta", own), Spent(), TODAY)
    assert (refused.code, refused.party) == (Code.RECIPIENT_REFUSED, "beta")
    assert not needs_person(plan, own)
