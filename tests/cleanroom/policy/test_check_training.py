"""The ruling on trainings under differential privacy, by rule and by an owner's own ledger."""

import datetime as dt
from fractions import Fraction
from pathlib import Path
from typing import Any

import kept
import pytest
import training

from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.budget.zcdp import epsilon, rho_within
from cleanroom.contract.terms import Terms
from cleanroom.errors import BudgetExhausted, RequestReplayed, StateUnavailable
from cleanroom.learning.job import Job
from cleanroom.party.spending import Spending
from cleanroom.plan.sheet_of_training import sheet_of_training
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.check import by_contract, check
from cleanroom.policy.matter import Spent
from cleanroom.policy.model import Code, Violation
from cleanroom.policy.own import Own
from cleanroom.query.training import compile_training

TODAY = dt.date(2026, 11, 22)
TERMS = training.terms(release="dp")
EXACT = {"kind": "logistic"}


def noisy(**dp: object) -> dict[str, Any]:
    return {"kind": "private_logistic", "rounds": 5, "dp": {"epsilon": 1.0, **dp}}


def plan_of(model: dict[str, Any], terms: Terms = TERMS, **changed: object) -> TrainPlan:
    return compile_training(Job.of(training.job(model, **changed)), terms, "0" * 64, "university")


def within(spending: Spending, plan: TrainPlan) -> tuple[Violation, ...]:
    """Rule on a plan as the owner whose budgets these are."""
    return check(plan, TERMS, Own("north"), Spent(left=spending.left(plan)), TODAY)


REFUSED: dict[Code, list[tuple[dict[str, Any], dict[str, object]]]] = {
    Code.NOISE_MISSING: [(EXACT, {}), (noisy(), {"holdout": 0.2})],
    Code.EPSILON_TOO_LARGE: [(noisy(epsilon=1.01), {}), (noisy(delta=2e-9), {})],
    Code.NOISE_NOT_ENOUGH: [(noisy(honest=4), {"min_owners": 3})],
}
CASES = [(code, *case) for code, cases in REFUSED.items() for case in cases]


@pytest.mark.parametrize(("code", "model", "changed"), CASES)
def test_each_rule_refuses(code: Code, model: dict[str, Any], changed: dict[str, object]) -> None:
    owners = (*training.HOSPITALS, "east")
    terms = Terms.of(training.contract(owners, release="dp"))
    violations = by_contract(plan_of(model, terms, **changed), terms, TODAY)
    assert [v.code for v in violations] == [code]


def test_noise_within_the_contract_runs_under_either_release() -> None:
    model = noisy(owners_per_person=3)
    for terms in (TERMS, training.terms(release="sdc")):
        assert by_contract(plan_of(model, terms), terms, TODAY) == ()
    gated = training.terms(release="gated")
    codes = [v.code for v in by_contract(plan_of(model, gated), gated, TODAY)]
    assert codes == [Code.GATES_ALONE]


def test_a_plan_tells_what_it_costs() -> None:
    plan = plan_of(noisy(epsilon=0.5))
    assert plan.noise is not None
    rho = Fraction(plan.noise.units, 10**12)
    assert epsilon(rho, 1e-9) == pytest.approx(epsilon(rho_within(0.5, 1e-9), 1e-9))
    opened = "\n".join(sheet_of_training(plan, TERMS).opened)
    assert "epsilon = 0.5, delta = 1e-09" in opened
    assert "whose rows lie at 1 of the owners" in opened
    assert "for patients" in opened
    assert plan_of(EXACT).noise is None


def test_persons_are_told_apart_where_they_may_have_several_rows() -> None:
    source = training.contract(release="dp")
    source["tables"]["patients"]["max_rows_per_person"] = 3
    assert " AS person" in plan_of(noisy(), Terms.of(source)).read_sql
    assert " AS person" not in plan_of(noisy()).read_sql


def test_an_owner_has_the_last_word_on_its_budget(tmp_path: Path) -> None:
    plan = plan_of(noisy(epsilon=0.6))
    spending = Spending("north", TERMS, kept.state(tmp_path))
    assert within(spending, plan) == ()
    spending.charge("first", plan)
    with pytest.raises(RequestReplayed, match="charged before") as again:
        spending.charge("first", plan)
    assert again.value.party == "north"
    assert within(spending, plan) == ()
    assert within(spending, plan_of(noisy(epsilon=0.9))) != ()
    spending.charge("second", plan)
    (violation,) = within(spending, plan)
    assert (violation.code, violation.party) == (Code.BUDGET_EXHAUSTED, "north")
    assert "patients: epsilon 0.6" in violation.message
    with pytest.raises(BudgetExhausted) as refused:
        spending.charge("one more", plan)
    assert refused.value.party == "north"


def test_purposes_of_jobs_share_one_budget(tmp_path: Path) -> None:
    spending = Spending("north", TERMS, kept.state(tmp_path))
    spending.charge("first", plan_of(noisy(), purpose="one"))
    (only,) = Ledger(kept.state(tmp_path)).spent()
    assert only.scope == Scope("patients", "university", TERMS.room.purpose)
    assert only.allowed - only.spent < only.allowed / 1000
    assert within(spending, plan_of(noisy(epsilon=0.1), purpose="another")) != ()


def test_without_a_ledger_nothing_noisy_is_told() -> None:
    spending = Spending("north", TERMS, None)
    assert spending.left(plan_of(EXACT)) == {}
    with pytest.raises(StateUnavailable):
        spending.left(plan_of(noisy()))
    with pytest.raises(StateUnavailable, match="north"):
        spending.charge("s", plan_of(noisy()))


def together(kind: str, least: int, rows: int | None = 1, persons: int = 5) -> list[Violation]:
    """Rule on a job whose sums are of `least` rows, by a contract with that min_group."""
    source = training.contract(min_group=persons)
    source["tables"]["patients"]["max_rows_per_person"] = rows
    terms, changed = Terms.of(source), {"target": None, "rows": "SELECT age, bmi FROM patients"}
    if kind == "cox":
        changed = {"time": "age"}
    plan = plan_of({"kind": kind, "least": least}, terms, **changed)
    return list(by_contract(plan, terms, TODAY))


@pytest.mark.parametrize("kind", ["cox", "kmeans"])
def test_sums_of_few_rows_are_of_as_many_persons_as_the_contract_asks(kind: str) -> None:
    (few,) = together(kind, 4)
    assert few.code == Code.GROUP_TOO_SMALL
    assert f"{kind} sums of 4 rows, where min_group asks for 5 persons" in few.message
    assert few.remedy == "Ask with least = 5 under [model]."
    assert together(kind, 5) == together(kind, 1, persons=1) == []


def test_a_person_of_many_rows_is_not_a_group() -> None:
    (few,) = together("kmeans", 12, rows=3)
    assert few.remedy == "Ask with least = 13 under [model]."
    assert together("kmeans", 13, rows=3) == []
    (unlimited,) = together("kmeans", 1000, rows=None)
    assert "any number of rows" in unlimited.message
    assert "max_rows_per_person" in unlimited.remedy


def test_kinds_whose_sums_are_of_all_rows_say_nothing_of_few() -> None:
    terms = training.terms(min_group=10)
    assert by_contract(plan_of(EXACT, terms), terms, TODAY) == ()


def test_a_job_is_for_one_of_the_purposes_that_the_contract_names(tmp_path: Path) -> None:
    source = training.contract(release="dp")
    source["room"]["purposes"] = {"care": "plan care", "costs": "plan costs"}
    terms = Terms.of(source)
    assert by_contract(plan_of(noisy(), terms, purpose="care"), terms, TODAY) == ()
    (violation,) = by_contract(plan_of(noisy(), terms, purpose="beds"), terms, TODAY)
    assert violation.code is Code.PURPOSE_UNKNOWN
    spending = Spending("north", terms, kept.state(tmp_path))
    spending.charge("first", plan_of(noisy(), terms, purpose="care"))
    spent = {one.scope.purpose: one.spent for one in spending.budgets()}
    assert spent["care"] > spent["costs"] == 0


@pytest.mark.parametrize(("agreed", "refused"), [(1, False), (2, True), (3, True)])
def test_noise_covers_persons_at_as_many_owners_as_the_contract_says(
    agreed: int, refused: bool
) -> None:
    contract = training.contract(release="dp")
    contract["tables"]["patients"]["owners_per_person"] = agreed
    terms = Terms.of(contract)
    codes = [v.code for v in by_contract(plan_of(noisy(), terms), terms, TODAY)]
    assert codes == [Code.NOISE_NOT_ENOUGH] * refused
    assert by_contract(plan_of(noisy(owners_per_person=agreed), terms), terms, TODAY) == ()


def at_owners(said: int | None, owners: tuple[str, ...] = training.HOSPITALS) -> Terms:
    """Return terms that say at how many owners a person may be, or nothing of it."""
    source = training.contract(owners, release="dp")
    source["tables"]["patients"]["owners_per_person"] = said
    return Terms.of(source)


def test_where_the_contract_says_nothing_persons_may_be_at_all_owners() -> None:
    silent = at_owners(None)
    for asked in (1, 2):
        plan = plan_of(noisy(owners_per_person=asked), silent)
        (violation,) = by_contract(plan, silent, TODAY)
        assert violation.code is Code.NOISE_NOT_ENOUGH
        assert "owners_per_person = 3 in dp" in violation.remedy
        assert f"have all sign owners_per_person = {asked}" in violation.remedy
    assert by_contract(plan_of(noisy(owners_per_person=3), silent), silent, TODAY) == ()


SIX = ("a", "b", "c", "d", "e", "f")


@pytest.mark.parametrize("said", [None, 2, 6])
@pytest.mark.parametrize("changed", [{"without": ["d", "e", "f"]}, {"min_owners": 5}])
def test_nobody_is_left_out_or_lost_where_persons_at_several_owners_would_pay_twice(
    said: int | None, changed: dict[str, object]
) -> None:
    """Owners that take no part aren't charged: asked next, they would answer for the first time."""
    terms, model = at_owners(said, SIX), noisy(owners_per_person=6)
    (violation,) = by_contract(plan_of(model, terms, **changed), terms, TODAY)
    assert violation.code is Code.NOISE_NOT_ENOUGH
    assert violation.rule == "tables.patients.owners_per_person"
    assert "or have all sign owners_per_person = 1." in violation.remedy
    assert by_contract(plan_of(model, terms), terms, TODAY) == ()
    single = at_owners(1, SIX)
    assert by_contract(plan_of(noisy(), single, **changed), single, TODAY) == ()


def test_exact_sums_may_be_of_some_owners() -> None:
    source = training.contract(SIX)
    source["tables"]["patients"]["owners_per_person"] = None
    terms = Terms.of(source)
    assert by_contract(plan_of(EXACT, terms, min_owners=5), terms, TODAY) == ()
