"""Rows that determine no model, and steps that owners don't answer: refused by name."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hospitals import matrix, number, numbered, shares, trained

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning import linear, logistic, poisson, pooled
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.preparation import coded
from cleanroom.learning.step import Step, Sums

BINARY = Column("y", "number", 0.0, 1.0)
RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
Y = (RNG.random(60) < 0.5).astype(float)
FACTS = numbered(X, BINARY)


def logistic_of(x: Floats, y: Floats) -> None:
    trained(logistic.Spec(), numbered(x, BINARY), shares(matrix(x), y))


def test_rows_that_determine_no_model_are_refused() -> None:
    with pytest.raises(TrainingImpossible, match="depend on each other in these rows: x0, x3"):
        logistic_of(np.column_stack([X, 2 * X[:, 0] + 1]), Y)
    with pytest.raises(TrainingImpossible, match=r"tell apart completely.*: x0"):
        logistic_of(X, (X[:, 0] > 0).astype(float))
    with pytest.raises(TrainingImpossible, match="y: the same in all rows"):
        logistic_of(X, np.ones(60))
    with pytest.raises(TrainingImpossible, match="61 coefficients from 60 rows"):
        logistic_of(RNG.normal(size=(60, 60)), Y)
    with pytest.raises(TrainingImpossible, match="without a row"):
        trained(logistic.Spec(), FACTS, shares(matrix(X[:0]), Y[:0]))


def test_a_group_without_events_is_named() -> None:
    group = (np.arange(60) % 3 == 0).astype(float)
    with pytest.raises(TrainingImpossible, match=r"completely.*: x1"):
        logistic_of(np.column_stack([X[:, 0], group]), np.where(group == 1, 0.0, Y))


def test_missing_values_need_a_choice() -> None:
    facts = Facts((Column("a", "number", 0, 1, nullable=True),), BINARY, 3, 100)
    with pytest.raises(TrainingImpossible, match="a, which may be missing"):
        trained(logistic.Spec(), facts, shares({"a": np.full(60, np.nan)}, Y))
    spec = logistic.Spec(prepare={"missing": "impute"})
    with pytest.raises(TrainingImpossible, match="a: missing in every row"):
        trained(spec, facts, shares({"a": np.full(60, np.nan)}, Y))


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("x0", [np.nan, 0, 0], "x0: missing"),
        ("x0", [np.inf, 0, 0], "x0: a value beyond"),
        ("x0", [99.0, 0, 0], "x0: a value beyond"),
        ("x1", [0.0, 0], "x1: not one number a row"),
        ("y", [0.5, 0, 1], "y: a value other than 0 and 1"),
        ("y", [np.nan, 0, 1], "y: missing"),
    ],
)
def test_an_owners_rows_are_checked(column: str, values: list[float], fault: str) -> None:
    given = {name: np.zeros(3) for name in ("x0", "x1", "x2", "y")} | {column: np.array(values)}
    target = given.pop("y")
    with pytest.raises(DataMismatch, match=fault):
        logistic.owner(logistic.Spec(), FACTS, Rows(given, target))


def test_a_target_must_suit_the_model() -> None:
    category = Column("y", "category", 0, 2, ("a", "b", "c"))
    for module, target in (
        (logistic, category),
        (logistic, number("y", X[:, 0])),
        (linear, category),
        (poisson, Column("y", "number", -1.0, 5.0)),
        (linear, None),
    ):
        with pytest.raises(TrainingImpossible, match="regression"):
            next(module.train(module.Spec(), numbered(X, target)))


def test_dates_are_predicted_from_as_owners_count_them() -> None:
    born = Column("born", "number", -1000.0, 1000.0, (), nullable=True)
    days, first = np.array([2.0, np.nan]), dt.date(1970, 1, 3)
    for dates in (
        np.array([first, None]),
        np.array([first, np.nan], dtype=object),
        np.array([dt.datetime(1970, 1, 3, 23), None]),
        np.array(["1970-01-03T23", "NaT"], dtype="datetime64[ns]"),
    ):
        np.testing.assert_array_equal(coded(born, dates), days)
    with pytest.raises(DataMismatch, match="born: not numbers"):
        coded(born, np.array(["1970-01-03"]))
    ward = Column("ward", "category", 0, 1, ("icu", "surgery"), nullable=True)
    assert coded(ward, np.array(["surgery", np.nan], dtype=object)).tolist() == [1, -1]


def recorded() -> list[Step]:
    steps = []

    def add_up(step: Step, answers: list[Sums]) -> Sums:
        steps.append(step)
        return pooled.summed(step, answers)

    trained(logistic.Spec(), FACTS, shares(matrix(X), Y), add_up)
    return steps


def test_owners_refuse_steps_that_are_not_the_trainings() -> None:
    count, spread, newton, *_ = recorded()

    def refused(fault: str, *steps: Step) -> None:
        owner = logistic.owner(logistic.Spec(max_rounds=2), FACTS, shares(matrix(X), Y)[2])
        for step in steps[:-1]:
            owner.answer(step)
        with pytest.raises(StepRefused, match=fault):
            owner.answer(steps[-1])

    def given(**numbers: Floats) -> Step:
        return replace(newton, numbers={**newton.numbers, **numbers})

    refused("a name", replace(count, name="rows"))
    refused("prepare.count more than 1", count, count)
    refused("prepare.count after glm.newton", newton, count)
    refused("more than 2 times", newton, newton, newton)
    refused("another shape", replace(newton, answer=newton.answer[:2]))
    refused(
        "another bound",
        replace(newton, answer=(replace(newton.answer[0], bound=1.0), *newton.answer[1:])),
    )
    refused("other numbers", replace(newton, numbers={}))
    refused("isn't finite", given(coefficients=np.full(4, np.nan)))
    refused("more than 100", given(coefficients=np.array([0, 101.0, 0, 0])))
    refused("scales far below", given(scales=newton.numbers["scales"] / 100))
    refused("cannot be", given(rows=np.array(1e9)))
    refused("other means", newton, given(centres=newton.numbers["centres"] + 1e-6))
    refused(
        "scale far",
        replace(spread, numbers={"means": np.zeros(4), "scales": np.full(4, 1e-6)}),
    )


def test_a_training_goes_on_from_a_checkpoint() -> None:
    steps, rows = recorded(), shares(matrix(X), Y)
    owners = [logistic.owner(logistic.Spec(), FACTS, own) for own in rows]
    again = logistic.train(logistic.Spec(), FACTS, steps[4].checkpoint)
    model = trained(logistic.Spec(), FACTS, rows, pooled.summed)
    np.testing.assert_allclose(pooled.run(again, owners).beta, model.beta, rtol=1e-9)


def test_text_that_is_no_model_is_refused() -> None:
    good = trained(logistic.Spec(), FACTS, shares(matrix(X), Y)).to_json()
    for text in ("", "{}", '{"kind":"other"}', good.replace("beta", "gamma"), good[:-1]):
        with pytest.raises(ModelMismatch):
            model_from_json(text)
