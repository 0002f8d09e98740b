"""Private regressions: as good as pooled ones where there are many rows, and silent on members."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning import pooled
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES, model_from_json
from cleanroom.learning.layout import Preparing
from cleanroom.learning.private import regression
from cleanroom.learning.private.kinds import LinearSpec, LogisticSpec, PoissonSpec, Spec, problem
from cleanroom.learning.private.model import PrivateModel
from cleanroom.learning.private.spec import DpSpec
from cleanroom.learning.step import Owner, Step, Sums
from protocols.dp.words import Words

N, P = 12_000, 5
SLOPES = np.array([1.5, -1.0, 0.5, 0.0, 2.0])
BINARY = Column("y", "number", 0.0, 1.0)
NUMBER = Column("y", "number", -10.0, 10.0)
COUNT = Column("y", "number", 0.0, 60.0)
DP = DpSpec(epsilon=1.0, delta=1e-6, clip=1.5)


def facts(target: Column | None, p: int = P, max_rows: int = N) -> Facts:
    columns = tuple(Column(f"x{i}", "number", 10.0, 30.0) for i in range(p))
    return Facts(columns, target, 3, max_rows)


def named(x: Floats) -> dict[str, Floats]:
    """Return columns within the declared bounds, of which x is the part of half the range."""
    return {f"x{i}": 20 + 10 * x[:, i] for i in range(x.shape[1])}


def trained(spec: Spec, what: Facts, x: Floats, y: Floats) -> PrivateModel:
    owners = []
    asked = problem(spec, what)
    for i, part in enumerate(np.array_split(np.arange(len(x)), 3)):
        rows = Rows(named(x[part]), y[part])
        owners.append(regression.owner(asked, what, rows, Words(bytes([i] * 32))))
    return pooled.run(FAMILIES[spec.kind].train(spec, what, None), owners)


def drawn(seed: int, n: int = N) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, P))
    return x, x @ SLOPES + 0.3


def test_a_logistic_regression_is_nearly_the_pooled_one() -> None:
    x, eta = drawn(1)
    y = (np.random.default_rng(2).random(N) < 1 / (1 + np.exp(-eta))).astype(float)
    model = trained(LogisticSpec(dp=DP), facts(BINARY), x, y)
    best = LogisticRegression(C=1.0).fit(x, y).predict_proba(x)[:, 1]
    auc = roc_auc_score(y, model.predict(named(x)))
    assert auc > roc_auc_score(y, best) - 0.005
    assert model.coefficients["x4"] == pytest.approx(2 / 10, abs=0.05)


def test_a_linear_regression_needs_one_sum() -> None:
    x, eta = drawn(3)
    y = eta + np.random.default_rng(4).normal(0, 0.5, N)
    model = trained(LinearSpec(dp=DP), facts(NUMBER), x, y)
    np.testing.assert_allclose(model.predict(named(x)), eta, atol=0.6)
    assert model.privacy["steps"].keys() == {regression.PRODUCTS}


def test_a_poisson_regression_finds_rates() -> None:
    x, eta = drawn(5)
    y = np.random.default_rng(6).poisson(np.exp(eta / 2 + 0.5)).astype(float)
    spec = PoissonSpec(dp=DP.model_copy(update={"clip": 4.0}), rounds=40)
    model = trained(spec, facts(COUNT), x, np.minimum(y, 60))
    rates = model.predict(named(x)) / np.exp(eta / 2 + 0.5)
    assert 0.85 < np.quantile(rates, 0.1) < np.quantile(rates, 0.9) < 1.15


def test_members_are_told_by_their_loss_only_without_noise() -> None:
    """Labels are coins, so a model that knows them has memorised its rows."""
    rng = np.random.default_rng(7)
    n, p = 240, 150
    x, y = rng.uniform(-1, 1, (2 * n, p)), rng.integers(0, 2, 2 * n).astype(float)

    def advantage(predicted: Floats) -> float:
        """Return the most by which a threshold on the loss tells members from others."""
        loss = -np.log(np.where(y == 1, predicted, 1 - predicted).clip(1e-9))
        inside, outside = np.sort(loss[:n]), np.sort(loss[n:])
        at = np.concatenate([inside, outside])
        found = np.searchsorted(inside, at, "right") - np.searchsorted(outside, at, "right")
        return float(found.max() / n)

    plain = LogisticRegression(C=10.0, max_iter=500).fit(x[:n], y[:n])
    model = trained(LogisticSpec(dp=DP), facts(BINARY, p, n), x[:n], y[:n])
    assert advantage(plain.predict_proba(x)[:, 1]) > 0.5
    assert advantage(model.predict(named(x))) < 0.2


def test_a_model_travels_with_what_it_says_of_its_privacy() -> None:
    x, eta = drawn(8, 300)
    model = trained(LinearSpec(dp=DP), facts(NUMBER), x, eta.clip(-10, 10))
    again = model_from_json(model.to_json())
    assert isinstance(again, PrivateModel)
    np.testing.assert_array_equal(again.predict(named(x)), model.predict(named(x)))
    assert again.privacy == model.privacy
    assert float(model.privacy["epsilon"]) <= DP.epsilon
    assert model.privacy["delta"] == DP.delta
    assert "all rows" in model.privacy["sampling"]
    with pytest.raises(ModelMismatch):
        PrivateModel.from_json(model.to_json().replace('"beta": [', '"beta": [1.0, '))


def test_a_training_goes_on_from_its_checkpoint() -> None:
    """The owners of another session draw other noise; the steps before aren't asked again."""
    x, eta = drawn(9, 600)
    spec, what = LogisticSpec(dp=DP, rounds=6), facts(BINARY)
    asked: list[tuple[str, int]] = []
    rows = Rows(named(x), (eta > 0).astype(float))

    def owner() -> Owner:
        return FAMILIES[spec.kind].owner(spec, what, rows)

    def noted(step: Step, answers: Sequence[Sums]) -> Sums:
        asked.append((step.name, step.round))
        return pooled.summed(step, answers)

    training, first = FAMILIES[spec.kind].train(spec, what, None), owner()
    step = next(training)
    for _ in range(3):
        step = training.send(first.answer(step))
    later = FAMILIES[spec.kind].train(spec, what, step.checkpoint)
    model = pooled.run(later, [owner(), owner(), owner()], noted)
    assert {name for name, _ in asked} == {regression.GRADIENT}
    assert [at for _, at in asked] == [3, 4, 5, 6]
    assert np.isfinite(model.beta).all()


def test_missing_values_and_categories_need_no_sums() -> None:
    rng = np.random.default_rng(10)
    columns = (
        Column("colour", "category", 0, 0, ("red", "blue"), nullable=True),
        Column("size", "number", 0.0, 4.0, nullable=True),
    )
    what = Facts(columns, BINARY, 3, N)
    colour, size = rng.integers(-1, 2, N).astype(float), rng.uniform(0, 4, N)
    size[rng.random(N) < 0.1] = np.nan
    y = (colour == 1).astype(float)
    spec = LogisticSpec(dp=DP, prepare=Preparing(missing="impute", indicate_missing=True))
    parts = np.array_split(np.arange(N), 3)
    rows = [Rows({"colour": colour[p], "size": size[p]}, y[p]) for p in parts]
    owners = [FAMILIES[spec.kind].owner(spec, what, one) for one in rows]
    model = pooled.run(FAMILIES[spec.kind].train(spec, what, None), owners)
    predicted = model.predict({"colour": ["red", "blue", None], "size": [1.0, np.nan, 2.0]})
    assert predicted[1] > 0.8 > 0.3 > max(predicted[0], predicted[2])


@pytest.mark.parametrize(
    ("spec", "target"),
    [
        (LogisticSpec(dp=DP), NUMBER),
        (PoissonSpec(dp=DP), NUMBER),
        (LinearSpec(dp=DP), Column("y", "category", 0, 0, ("a", "b"))),
        (LinearSpec(dp=DP), None),
        (LinearSpec(dp=DP.model_copy(update={"honest": 4})), NUMBER),
    ],
)
def test_what_cannot_be_learnt_is_refused(spec: Spec, target: Column | None) -> None:
    with pytest.raises(TrainingImpossible):
        next(FAMILIES[spec.kind].train(spec, facts(target), None))


def test_rows_and_steps_that_differ_are_refused() -> None:
    spec, what = LogisticSpec(dp=DP), facts(BINARY)
    x, eta = drawn(11, 30)
    with pytest.raises(DataMismatch):
        FAMILIES[spec.kind].owner(spec, what, Rows(named(10 * x), (eta > 0).astype(float)))
    owner = FAMILIES[spec.kind].owner(spec, what, Rows(named(x), (eta > 0).astype(float)))
    block = regression.questions(problem(spec, what), what)[regression.GRADIENT].block
    for wrong in (np.zeros(P), np.full(P + 1, np.nan)):
        with pytest.raises(StepRefused):
            owner.answer(Step(regression.GRADIENT, (block,), {"coefficients": wrong}))
