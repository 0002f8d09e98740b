"""Figures of a model over several owners, in fixed point, against scikit-learn on pooled scores."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hospitals import fixed_point, matrix, number, numbered, shares, trained
from lifelines.utils import concordance_index
from sklearn import metrics
from sklearn.datasets import load_breast_cancer

from cleanroom.errors import DataMismatch
from cleanroom.learning import cox, linear, logistic, pooled
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.evaluation import Evaluation, evaluate
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.judging import EvaluationOwner, Spec
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.step import Step
from cleanroom.learning.travelling import packed, unpacked

DATA = load_breast_cancer()
X, Y = DATA.data[:, :6], DATA.target.astype(float)
FACTS = numbered(X, Column("y", "number", 0.0, 1.0))
MODEL: LinearModel = trained(logistic.Spec(l2=1.0), FACTS, shares(matrix(X), Y))


def judged(spec: Spec, facts: Facts, model: Any, rows: list[Rows]) -> Evaluation:
    owners = [EvaluationOwner(spec, facts, own) for own in rows]
    return pooled.run(evaluate(spec, facts, model), owners, fixed_point)


@pytest.mark.parametrize("bins", [4096, 64])
def test_a_classifiers_figures_are_those_of_pooled_scores(bins: int) -> None:
    found = judged(Spec(measure="binary", bins=bins), FACTS, MODEL, shares(matrix(X), Y))
    score, figures = MODEL.predict(matrix(X)), found.figures
    said = score >= 0.5
    assert found.rows == len(Y)
    for name, error, exact in (
        ("auc", figures["auc_error"], metrics.roc_auc_score(Y, score)),
        ("auprc", figures["auprc_error"], metrics.average_precision_score(Y, score)),
        ("brier", 1e-9, metrics.brier_score_loss(Y, score)),
        ("log_loss", 1e-9, metrics.log_loss(Y, score)),
        ("sensitivity", 1e-9, metrics.recall_score(Y, said)),
        ("precision", 1e-9, metrics.precision_score(Y, said)),
        ("specificity", 1e-9, metrics.recall_score(1 - Y, ~said)),
    ):
        assert abs(figures[name] - exact) <= error + 1e-12, name
    assert figures["auc_error"] < (1e-4 if bins == 4096 else 1e-2)
    told = [
        figures[f"{kind}_{sign}"]
        for sign in ("negatives", "positives")
        for kind in ("true", "false")
    ]
    assert told == [*metrics.confusion_matrix(Y, said).ravel()[[0, 2, 3, 1]]]


def test_curves_come_from_the_same_bins() -> None:
    found = judged(Spec(measure="binary", calibration=5), FACTS, MODEL, shares(matrix(X), Y))
    mean, share, rows = found.curves["calibration"]
    assert rows.sum() == len(Y)
    assert np.all(np.abs(rows - len(Y) / 5) < 20)
    score = np.sort(MODEL.predict(matrix(X)))
    assert mean[0] == pytest.approx(score[: round(rows[0])].mean(), rel=1e-9)
    assert rows @ share == Y.sum()
    false_rate, true_rate = found.curves["roc"]
    assert np.trapezoid(true_rate, false_rate) == pytest.approx(found.figures["auc"], rel=1e-12)
    assert '"auc": 0.9' in found.to_json()


def test_one_class_has_no_rank() -> None:
    found = judged(Spec(measure="binary"), FACTS, MODEL, shares(matrix(X), np.ones(len(Y))))
    assert np.isnan(found.figures["auc"])
    assert '"auc": null' in found.to_json()


def test_a_regressions_figures_are_those_of_pooled_predictions() -> None:
    y = 40 + X @ [3, -1, 0.2, 0, 1, 2] + np.random.default_rng(8).normal(size=len(X))
    facts = numbered(X, number("y", y))
    model = trained(linear.Spec(), facts, shares(matrix(X), y))
    figures = judged(Spec(measure="number"), facts, model, shares(matrix(X), y)).figures
    told = model.predict(matrix(X))
    assert figures["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, told), rel=1e-9)
    assert figures["mae"] == pytest.approx(metrics.mean_absolute_error(y, told), rel=1e-9)
    assert figures["r2"] == pytest.approx(metrics.r2_score(y, told), rel=1e-9)


def test_rows_that_a_model_does_not_take_are_left_out() -> None:
    x = X.copy()
    x[::7, 0] = np.nan
    facts = replace(FACTS, features=tuple(replace(c, nullable=True) for c in FACTS.features))
    found = judged(Spec(measure="binary"), facts, MODEL, shares(matrix(x), Y))
    assert found.rows == np.count_nonzero(~np.isnan(x[:, 0]))
    x[:, 0] = np.nan
    with pytest.raises(TrainingImpossible, match="without a row"):
        judged(Spec(measure="binary"), facts, MODEL, shares(matrix(x), Y))


def test_a_model_travels_as_numbers() -> None:
    numbers = packed(MODEL)
    assert unpacked(numbers).to_json() == MODEL.to_json()
    short, wide = numbers[:-1], numbers[:, None]
    for spoilt in (numbers + 0.5, -numbers, np.full(3, np.nan), wide, numbers * 2**20, short):
        with pytest.raises(StepRefused):
            unpacked(spoilt)


@dataclass(frozen=True)
class Spoilt:
    """The model with one word of its text replaced."""

    word: str
    other: str

    def predict(self, columns: Mapping[str, Floats]) -> Floats:
        return model_from_json(self.to_json()).predict(columns)

    def to_json(self) -> str:
        return MODEL.to_json().replace(f'"{self.word}"', f'"{self.other}"')


def test_owners_refuse_what_is_no_such_evaluation() -> None:
    spec = Spec(measure="binary")

    def refused(fault: str, *steps: Step) -> None:
        owner = EvaluationOwner(spec, FACTS, shares(matrix(X), Y)[0])
        for step in steps[:-1]:
            owner.answer(step)
        with pytest.raises(StepRefused, match=fault):
            owner.answer(steps[-1])

    step = next(evaluate(spec, FACTS, MODEL))
    refused("more than 1 times", step, step)
    refused("another shape", replace(step, answer=step.answer[:2]))
    refused("without a model", replace(step, numbers={}))
    refused("doesn't have", next(evaluate(Spec(measure="number"), FACTS, MODEL)))
    with pytest.raises(DataMismatch, match="other than 0 and 1"):
        EvaluationOwner(spec, FACTS, Rows(matrix(X), Y / 2))
    with pytest.raises(TrainingImpossible, match="without a target"):
        EvaluationOwner(spec, replace(FACTS, target=None), Rows(matrix(X), None))


def test_no_row_makes_an_owner_refuse_a_model() -> None:
    """A refusal would tell of one owner's rows what a sum over all owners doesn't."""
    spec, rows = Spec(measure="binary"), Rows(matrix(X), Y)

    def answered(model: Spoilt) -> Mapping[str, Floats]:
        return EvaluationOwner(spec, FACTS, rows).answer(next(evaluate(spec, FACTS, model)))

    odd = Spoilt("logistic", "linear")
    scores = odd.predict(matrix(X))
    within = np.count_nonzero((scores >= 0) & (scores <= 1))
    assert 0 < answered(odd)["rows"] == within < len(Y)
    assert not any(np.any(part) for part in answered(Spoilt("x0", "other")).values())


def test_a_c_index_is_that_of_pooled_risks() -> None:
    rng = np.random.default_rng(9)
    risk = rng.normal(size=400)
    time = np.ceil(rng.exponential(np.exp(-risk)) * 20).clip(max=100)
    event = (rng.random(400) < 0.7).astype(float)
    x = np.column_stack([risk, rng.normal(size=400)])
    facts = replace(
        numbered(x, Column("event", "number", 0.0, 1.0)), time=Column("t", "number", 0.0, 100.0)
    )
    rows = shares(matrix(x), event, time)
    model = trained(cox.Spec(), facts, rows)
    found = judged(Spec(measure="survival"), facts, model, rows)
    exact = concordance_index(time, -model.predict(matrix(x)), event)
    assert abs(found.figures["c_index"] - exact) <= found.figures["c_index_error"]
    assert found.figures["c_index_error"] < 0.002
    assert (found.rows, found.figures["events"]) == (400, event.sum())
    owner, asked = EvaluationOwner(Spec(measure="survival"), facts, rows[0]), []
    pooled.run(
        evaluate(Spec(measure="survival"), facts, model),
        [EvaluationOwner(Spec(measure="survival"), facts, own) for own in rows],
        lambda step, answers: asked.append(step) or pooled.summed(step, answers),
    )
    with pytest.raises(StepRefused, match="other numbers"):
        owner.answer(replace(asked[1], numbers={}))
    with pytest.raises(StepRefused, match="more than 1 times"):
        owner.answer(asked[1])
    with pytest.raises(TrainingImpossible, match="without a time"):
        next(evaluate(Spec(measure="survival"), FACTS, MODEL))
