"""Cox regression over several owners, in fixed point, against lifelines on the pooled rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hospitals import number, numbered, shares, trained
from lifelines import CoxPHFitter

from cleanroom.errors import ModelMismatch
from cleanroom.learning import cox, pooled
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.step import Step, Sums

SAME = {"rtol": 1e-6, "atol": 1e-9}
EVENT = Column("event", "number", 0.0, 1.0)
SHARED = Path(__file__).parents[4] / "shared/data/health/fed_tcga_brca.csv"


def lives(n: int = 500) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(11)
    x = rng.normal(size=(n, 4)) * [1, 8, 0.2, 30] + [0, 60, 3, 120]
    time = rng.exponential(np.exp(-0.5 * x[:, 0] + 0.04 * (x[:, 1] - 60))) * 40
    stop = rng.exponential(60, n)
    return x, np.minimum(np.ceil(np.minimum(time, stop)), 150), (time < stop).astype(float)


X, TIME, EVENTS = lives()


def numbered_with_time(x: Floats) -> Facts:
    return replace(numbered(x, EVENT), time=Column("time", "number", 0.0, 150.0))


FACTS = numbered_with_time(X)


def rows(x: Floats = X, time: Floats = TIME, events: Floats = EVENTS) -> list[Rows]:
    columns = {f"x{i}": np.ascontiguousarray(x[:, i]) for i in range(x.shape[1])}
    return shares(columns, events, time)


def fitted(x: Floats, time: Floats, events: Floats) -> CoxPHFitter:
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    frame["time"], frame["event"] = time, events
    return CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-12})


def test_a_cox_regression_is_the_pooled_one() -> None:
    model = trained(cox.Spec(), FACTS, rows())
    fit = fitted(X, TIME, EVENTS)
    table = model.table()
    np.testing.assert_allclose([one.value for one in table], fit.params_, **SAME)
    np.testing.assert_allclose([one.standard_error for one in table], fit.standard_errors_, **SAME)
    np.testing.assert_allclose([one.p for one in table], fit.summary["p"], rtol=1e-5)
    assert model.log_likelihood == pytest.approx(fit.log_likelihood_, rel=1e-9)
    assert model.events == EVENTS.sum()
    hazards = fit.baseline_hazard_["baseline hazard"]
    np.testing.assert_allclose(model.hazards, hazards[hazards > 0], **SAME)
    assert model.times.tolist() == hazards.index[hazards > 0].tolist()
    columns = {f"x{i}": X[:9, i] for i in range(4)}
    frame = pd.DataFrame(columns)
    np.testing.assert_allclose(model.predict(columns), fit.predict_partial_hazard(frame), **SAME)
    survival = fit.predict_survival_function(frame, times=[5, 30.5, 90])
    np.testing.assert_allclose(model.survival(columns, [5, 30.5, 90]), survival.T, **SAME)
    same = model_from_json(model.to_json())
    assert same.predict(columns).tolist() == model.predict(columns).tolist()
    with pytest.raises(ModelMismatch):
        model_from_json(model.to_json().replace("hazards", "hazard"))


def test_a_longer_interval_is_the_fit_of_rounded_times() -> None:
    model = trained(cox.Spec(interval=7.0), FACTS, rows())
    fit = fitted(X, np.floor(TIME / 7) * 7, EVENTS)
    np.testing.assert_allclose([one.value for one in model.table()], fit.params_, **SAME)


def test_times_are_put_together_until_enough_rows_leave_between_them() -> None:
    risks = recorded(cox.Spec(least=25), FACTS)[-1].numbers
    assert risks["at"].min() >= 25
    starts = risks["places"]
    together = np.where(starts[0] > TIME, 0, starts[np.searchsorted(starts, TIME, "right") - 1])
    model = trained(cox.Spec(least=25), FACTS, rows())
    fit = fitted(X, together, EVENTS)
    np.testing.assert_allclose([one.value for one in model.table()], fit.params_, **SAME)
    with pytest.raises(TrainingImpossible, match="fewer than 900 rows"):
        trained(cox.Spec(least=900), FACTS, rows())


def test_an_owner_that_leaves_is_left_behind() -> None:
    staying, last = rows()[:2], rows()[2]

    def add_up(step: Step, answers: list[Sums]) -> Sums:
        return pooled.summed(step, answers if step.round < 2 else answers[:2])

    model = trained(cox.Spec(), FACTS, [*staying, last], add_up)
    n = sum(len(own) for own in staying)
    fit = fitted(X[:n], TIME[:n], EVENTS[:n])
    assert model.figures["loss"] == pytest.approx(-fit.log_likelihood_ / n)
    assert (model.rows, model.events) == (n, EVENTS[:n].sum())
    np.testing.assert_allclose([one.value for one in model.table()], fit.params_, **SAME)
    assert model.log_likelihood == pytest.approx(fit.log_likelihood_, rel=1e-9)


def test_a_penalty_shrinks_and_a_steep_hazard_is_followed() -> None:
    steep = np.exp(-3 * (X[:, 0] - X[:, 0].min()))
    time = np.ceil(150 * steep / steep.max())
    free = trained(cox.Spec(interval=1.0), FACTS, rows(time=time, events=np.ones(len(X))))
    held = trained(cox.Spec(l2=50.0), FACTS, rows(time=time, events=np.ones(len(X))))
    assert 0 < held.beta[0] < free.beta[0]
    fit = fitted(X, time, np.ones(len(X)))
    np.testing.assert_allclose(
        [one.value for one in free.table()], fit.params_, rtol=1e-5, atol=1e-7
    )


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="no shared data")
def test_breast_cancer_at_hospitals_is_the_pooled_fit() -> None:
    frame = pd.read_csv(SHARED)
    names = ["age_at_index", "race_white", "ajcc_pathologic_t_T2", "ajcc_pathologic_n_N1"]
    x, time, events = frame[names].to_numpy(float), frame["T"].to_numpy(), frame["E"].to_numpy()
    facts = replace(numbered(x, EVENT), time=number("time", time))
    model = trained(cox.Spec(), facts, rows(x, time, events))
    fit = fitted(x, time, events)
    np.testing.assert_allclose([one.value for one in model.table()], fit.params_, **SAME)
    np.testing.assert_allclose(
        [one.standard_error for one in model.table()], fit.standard_errors_, **SAME
    )


def test_rows_that_determine_no_hazard_are_refused() -> None:
    with pytest.raises(TrainingImpossible, match="event: no event"):
        trained(cox.Spec(), FACTS, rows(events=np.zeros(len(X))))
    group = np.column_stack([X[:, 0], np.where(EVENTS == 1, 0.0, np.arange(len(X)) % 2)])
    facts = replace(FACTS, features=(FACTS.features[0], Column("x1", "number", 0, 1)))
    with pytest.raises(TrainingImpossible, match=r"completely.*: x1"):
        trained(cox.Spec(), facts, rows(group))
    with pytest.raises(TrainingImpossible, match="the same in all rows"):
        trained(cox.Spec(), numbered_with_time(np.ones_like(X)), rows(np.ones_like(X)))
    for facts, fault in (
        (replace(FACTS, time=None), "without a time"),
        (replace(FACTS, target=None), "isn't 0 or 1"),
        (replace(FACTS, time=Column("time", "number", 0, 1e9)), "points in time"),
    ):
        with pytest.raises(TrainingImpossible, match=fault):
            next(cox.train(cox.Spec(), facts))


def recorded(spec: cox.Spec, facts: Facts) -> list[Step]:
    steps = []

    def add_up(step: Step, answers: list[Sums]) -> Sums:
        steps.append(step)
        return pooled.summed(step, answers)

    trained(spec, facts, rows(), add_up)
    return steps


def test_owners_refuse_cells_and_coefficients_that_are_not_the_trainings() -> None:
    *_, times, risks, more, last = recorded(cox.Spec(max_rounds=8), FACTS)[:6]
    given = risks.numbers

    def refused(fault: str, *steps: Step) -> None:
        owner = cox.owner(cox.Spec(), FACTS, rows()[2])
        for step in steps[:-1]:
            owner.answer(step)
        with pytest.raises(StepRefused, match=fault):
            owner.answer(steps[-1])

    def spoilt(**numbers: Floats) -> Step:
        return replace(risks, numbers={**given, **numbers})

    refused("survival.times after cox.risks", risks, times)
    narrow = cox.owner(cox.Spec(least=25), FACTS, rows()[2])
    with pytest.raises(StepRefused, match="fewer than 25 rows"):
        narrow.answer(risks)
    refused("out of order", spoilt(places=given["places"][::-1].copy() * 0))
    refused("points of the grid", spoilt(places=given["places"] + 0.5))
    refused("fewer rows in a cell", spoilt(at=given["events"]))
    refused("rows or scales", spoilt(rows=np.array(3.0)))
    refused("per standard deviation", spoilt(coefficients=np.full(4, 1e3)))
    refused("per standard deviation", spoilt(limit=np.array(1e3)))
    refused(
        "other means, scales or cells",
        risks,
        replace(more, numbers={**more.numbers, "centres": given["centres"] + 1e-7}),
    )
    owners = [cox.owner(cox.Spec(), FACTS, own) for own in rows()]
    again = pooled.run(cox.train(cox.Spec(), FACTS, last.checkpoint), owners)
    whole = trained(cox.Spec(), FACTS, rows(), pooled.summed)
    np.testing.assert_allclose(again.beta, whole.beta, rtol=1e-9)
