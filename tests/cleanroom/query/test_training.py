"""From a job to its plan: what owners read, what is known of it, and what policy says."""

import datetime as dt

import duckdb
import numpy as np
import pytest
import training

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError, ConfigInvalid, MessageInvalid, UnsupportedQuery
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import Job
from cleanroom.learning.opens import OPENS
from cleanroom.plan.sheet_of_training import sheet_of_training
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.check import by_contract
from cleanroom.query.training import compile_training

TODAY = dt.date(2026, 11, 22)


def plan_of(changed: dict[str, object], terms: Terms | None = None) -> TrainPlan:
    job = Job.of(training.job(**changed))
    return compile_training(job, terms or training.terms(), "0" * 64, "university")


def test_a_job_compiles_to_the_same_plan_at_every_member() -> None:
    job = Job.of(training.job())
    assert Job.read(job.text) == job
    plan = plan_of({})
    assert plan.hash == plan_of({}).hash != plan_of({"max_rounds": 7}).hash
    assert plan.owners == training.HOSPITALS
    assert [c.name for c in plan.facts.features] == ["age", "bmi", "smoker"]
    assert (plan.facts.features[1].low, plan.facts.features[1].high) == (10, 70)
    assert plan.facts.target is not None
    assert plan.facts.target.name == "outcome"
    assert {(u.column, u.right) for u in plan.uses} == {
        *((c, "train") for c in ("age", "bmi", "smoker", "outcome")),
        ("age", "filter"),
    }
    assert by_contract(plan, training.terms(), TODAY) == ()


def test_owners_read_numbers_codes_and_what_is_missing() -> None:
    rows = "SELECT age * 2 + 1 AS doubled, ward, bmi, outcome FROM patients WHERE smoker"
    plan = plan_of({"rows": rows, "holdout": 0.25})
    given = training.patients()["north"]
    connection = duckdb.connect()
    connection.register("patients_given", given)
    connection.execute(
        "CREATE TABLE patients AS SELECT * REPLACE (CAST(bmi AS DECIMAL(4,1)) AS bmi) "
        "FROM patients_given"
    )
    found = connection.execute(plan.read_sql, {"text_key": plan.person_key.hex()}).fetchnumpy()
    kept = given[given["smoker"] & given["outcome"].notna()]
    np.testing.assert_array_equal(found["feature_0"], kept["age"] * 2 + 1)
    codes = kept["ward"].map({"a": 0.0, "b": 1.0, "c": 2.0}).fillna(-1)
    np.testing.assert_array_equal(found["feature_1"], codes)
    np.testing.assert_array_equal(found["target"], kept["outcome"].astype(float))
    out = np.mean(found["person"].astype(np.uint64) >> np.uint64(32) < plan.held_out)
    assert 0.1 < out < 0.4


def test_the_sheet_says_who_learns_what() -> None:
    plan = plan_of({"holdout": 0.2})
    sheet = sheet_of_training(plan, training.terms())
    assert sheet.plan_hash == plan.hash
    assert "those of west alone" not in sheet.text
    owners = (*training.HOSPITALS, "east")
    terms = Terms.of(training.contract(owners))
    fewer = plan_of({"without": ["east"]}, terms)
    assert "those of east alone: university" in sheet_of_training(fewer, terms).text
    for said in ("summed over all owners", "20% of the persons", "age: 0 to 110", "coordinator"):
        assert said in sheet.text


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"rows": "SELECT name, outcome FROM patients"}, "column 'name' of type TEXT"),
        ({"rows": "SELECT outcome FROM patients"}, "without features"),
        ({"rows": "SELECT age, COUNT(*) FROM patients GROUP BY age"}, "aggregate"),
        ({"rows": "SELECT age, age, outcome FROM patients"}, "two columns named 'age'"),
        ({"rows": "SELECT age, 1 AS one, outcome FROM patients"}, "'one'"),
        ({"rows": "SELECT age, outcome FROM patients LIMIT 5"}, "LIMIT"),
        ({"rows": "SELECT ages, outcome FROM patients"}, "ages"),
        ({"target": "died"}, "no column 'died'"),
        ({"without": ["moon"]}, "moon"),
        (
            {
                "rows": "SELECT p.age, q.outcome FROM patients p JOIN patients q "
                "ON p.patient = q.patient"
            },
            "model.kind = 'joined_logistic' takes joins",
        ),
    ],
)
def test_what_no_owner_can_deliver_is_refused_by_name(
    changed: dict[str, object], named: str
) -> None:
    with pytest.raises(CleanroomError) as refused:
        plan_of(changed)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "privacy", "named", "remedy"),
    [
        ({"rows": "SELECT age, ward, outcome FROM patients WHERE ward = 'a'"}, {}, "patients.ward",
         "Leave that use out"),
        ({"without": ["west"]}, {}, "2 owners besides university: north, south", "Leave nobody"),
        ({"min_owners": 4}, {}, "hidden among 4", "Ask with a smaller min_owners"),
        ({}, {"min_contributors": 4}, "hidden among 4", "4 other members hold it"),
        ({}, {"release": "dp"}, "release = 'dp'", "private_"),
    ],
)
def test_policy_refuses_by_name(
    changed: dict[str, object], privacy: dict[str, object], named: str, remedy: str
) -> None:
    terms = training.terms(**privacy)
    found = by_contract(plan_of(changed, terms), terms, TODAY)
    assert any(named in violation.message and remedy in violation.remedy for violation in found)


def test_all_owners_have_to_stay_unless_the_job_says_fewer() -> None:
    terms = Terms.of(training.contract((*training.HOSPITALS, "east", "isle", "cape", "fell")))
    kept = {n: plan_of({"min_owners": n} if n else {}, terms) for n in (None, 1, 6)}
    assert [plan.least for plan in kept.values()] == [7, 5, 6]
    difference = "an owner's answer to a step"
    told = [difference in sheet_of_training(plan, terms).text for plan in kept.values()]
    assert told == [False, True, True]


def test_the_right_train_is_needed_for_every_feature() -> None:
    contract = training.contract()
    contract["tables"]["patients"]["columns"]["bmi"]["rights"] = {"university": ["sum"]}
    terms = Terms.of(contract)
    (violation,) = by_contract(plan_of({}, terms), terms, TODAY)
    assert "patients.bmi used as 'train'" in violation.message


def test_jobs_with_unknown_keys_or_models_are_refused_by_key() -> None:
    for job, named in (
        (training.job(epochs=3), "job.epochs: unknown key"),
        (training.job({"kind": "oracle"}), "model.kind"),
        (training.job({"kind": "logistic", "colour": 1}), "model.colour: unknown key"),
        (training.job(max_rounds=0), "job.max_rounds"),
        (training.job(time="outcome"), "two columns"),
        (training.job(without=[f"m{i:062}" for i in range(1000)]), "more than 65536 characters"),
        (training.job(max_membership=0.1), "name a holdout"),
        (training.job({"kind": "kmeans"}), "job.target: kmeans learns none"),
        (training.job(time="age"), "job.time: logistic knows none"),
    ):
        with pytest.raises(ConfigInvalid) as refused:
            Job.of(job)
        assert named in str(refused.value)
    with pytest.raises(ConfigInvalid) as unknown:
        Job.of(training.job({"kind": "logistic", "colour": 1}))
    assert unknown.value.remedy.startswith("[job] takes name, purpose, rows, target")
    assert "[model] of kind logistic takes l2" in unknown.value.remedy
    with pytest.raises(MessageInvalid):
        Job.read(Job.of(training.job()).text + " ")


def test_a_number_without_bounds_would_lose_its_differences() -> None:
    contract = training.contract()
    del contract["tables"]["patients"]["columns"]["age"]["bounds"]
    with pytest.raises(UnsupportedQuery, match="column 'age' of so wide a range"):
        plan_of({}, Terms.of(contract))


def test_the_sheet_marks_rights_that_are_missing() -> None:
    changed = {"rows": "SELECT age, patient, outcome FROM patients"}
    lines = sheet_of_training(plan_of(changed), training.terms()).text.splitlines()
    assert "  patients.age: train" in lines
    assert "  patients.patient: train - which the contract doesn't grant" in lines


def test_a_table_of_one_owner_alone_is_refused() -> None:
    contract = training.contract()
    table = contract["tables"].pop("patients")
    del table["members"]
    terms = Terms.of({**contract, "tables": {"north.patients": table}})
    rows = "SELECT age, outcome FROM north.patients"
    found = by_contract(plan_of({"rows": rows}, terms), terms, TODAY)
    assert any("1 owners besides university: north" in str(violation) for violation in found)


def test_a_timestamp_is_refused_and_a_date_counts_days() -> None:
    contract = training.contract()
    columns = contract["tables"]["patients"]["columns"]
    rights = {"university": ["train"]}
    columns["born"] = {"type": "DATE", "bounds": [dt.date(1970, 1, 2), dt.date(1970, 1, 31)]}
    columns["seen"] = {"type": "TIMESTAMP", "rights": rights}
    terms = Terms.of(contract)
    plan = plan_of({"rows": "SELECT born, outcome FROM patients"}, terms)
    assert (plan.facts.features[0].low, plan.facts.features[0].high) == (1, 30)
    with pytest.raises(UnsupportedQuery, match="'seen'"):
        plan_of({"rows": "SELECT seen, outcome FROM patients"}, terms)


def test_a_private_model_is_not_attacked_by_exact_counts() -> None:
    private = {"kind": "private_logistic", "dp": {"epsilon": 1.0}}
    asked = Job.of(training.job(private, holdout=0.3, max_membership=0.1))
    with pytest.raises(UnsupportedQuery, match="private model"):
        compile_training(asked, training.terms(), "0" * 64, "university")


def test_a_sheet_tells_what_a_familys_sums_tell() -> None:
    rows = "SELECT age, bmi FROM patients"
    for kind, changed, told in (
        ("kmeans", {"rows": rows, "target": None}, "changes its cluster between two rounds"),
        ("pca", {"rows": rows, "target": None}, "the products of all columns"),
        ("cox", {"rows": "SELECT age, bmi, outcome FROM patients", "time": "bmi"}, "leaves alone"),
        ("logistic", {}, "loss, gradient and curvature"),
        ("gbdt", {}, "a row that is alone in a node"),
        ("network", {}, "mean update"),
        ("gbdt", {"holdout": 0.2}, "of each outcome have which score"),
        ("gbdt", {"holdout": 0.2, "max_membership": 0.1}, "have which loss"),
    ):
        job = Job.of(training.job({"kind": kind}, **changed))
        plan = compile_training(job, training.terms(), "0" * 64, "university")
        assert any(told in line for line in sheet_of_training(plan, training.terms()).opened), kind
    assert set(OPENS) <= set(FAMILIES)
