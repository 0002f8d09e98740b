"""Neural networks by federated averaging: right gradients, and as good as the pooled network."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, make_classification, make_regression
from sklearn.metrics import r2_score, roc_auc_score

from cleanroom.errors import DataMismatch, ModelMismatch, PeerMisbehaved
from cleanroom.learning import networks
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.networks.local import clipped
from cleanroom.learning.networks.perceptron import Loss, Perceptron
from cleanroom.learning.pooled import run, summed
from cleanroom.learning.step import Step, Sums

BINARY = Column("y", "number", 0, 1)


def features(x: Floats) -> tuple[Column, ...]:
    return tuple(
        Column(f"x{i}", "number", float(v.min()), float(v.max())) for i, v in enumerate(x.T)
    )


def columns(x: Floats) -> dict[str, Floats]:
    return {f"x{i}": v for i, v in enumerate(x.T)}


def fitted(
    spec: networks.Spec,
    x: Floats,
    y: Floats,
    parts: Sequence[Sequence[int]],
    target: Column = BINARY,
) -> networks.NetworkModel:
    facts = Facts(features(x), target, len(parts), len(x))
    rows = [Rows(columns(x[list(part)]), y[list(part)].astype(float)) for part in parts]
    return run(networks.train(spec, facts), [networks.owner(spec, facts, one) for one in rows])


@pytest.mark.parametrize("loss", ["logistic", "softmax", "squared"])
def test_gradients_are_those_of_finite_differences(loss: Loss) -> None:
    rng = np.random.default_rng(4)
    network = Perceptron((3, 5, 4, 3 if loss == "softmax" else 1), loss)
    rows, target = rng.normal(size=(7, 3)), rng.integers(0, 2, 7).astype(float)
    weights = network.first(9) + rng.normal(0, 0.1, network.size)
    expected = np.empty(network.size)
    for k in range(network.size):
        nudge = np.zeros(network.size)
        nudge[k] = 1e-6
        ends = [network.loss_sum(weights + side * nudge, rows, target) for side in (1, -1)]
        expected[k] = (ends[0] - ends[1]) / 2e-6 / 7
    np.testing.assert_allclose(network.gradient(weights, rows, target), expected, atol=1e-7)


@pytest.mark.parametrize("proximal", [0.0, 0.01])
def test_averaging_is_as_good_as_the_pooled_network_on_breast_cancer(proximal: float) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    held = np.arange(len(y)) % 3 == 0
    rows = np.flatnonzero(~held)
    spec = networks.Spec(hidden=(16,), rounds=15, proximal=proximal)
    apart = fitted(spec, x, y, np.array_split(rows, 3))
    pooled = fitted(spec, x, y, [rows])
    ours, theirs = (roc_auc_score(y[held], m.predict(columns(x))[held]) for m in (apart, pooled))
    assert ours >= theirs - 0.005
    assert ours > 0.98


def test_averaging_is_as_good_as_the_pooled_network_where_owners_differ() -> None:
    x, y = make_classification(3000, 10, n_informative=6, flip_y=0.05, random_state=2)
    rows = np.argsort(x[:2000, 0], kind="stable")  # each owner has another kind of rows
    spec = networks.Spec(hidden=(32,), rounds=40, learning_rate=0.01, proximal=0.1)
    thrice = spec.model_copy(update={"local_epochs": 3})  # as many steps a round as on all rows
    apart = fitted(thrice, x, y, np.array_split(rows, 3))
    pooled = fitted(spec, x, y, [rows])
    ours, theirs = (roc_auc_score(y[2000:], m.predict(columns(x))[2000:]) for m in (apart, pooled))
    assert ours >= theirs - 0.005


def test_softmax_tells_three_kinds_apart() -> None:
    x, y = load_iris(return_X_y=True)
    target = Column("kind", "category", 0, 2, ("setosa", "versicolor", "virginica"))
    spec = networks.Spec(hidden=(8,), loss="softmax", rounds=20, local_epochs=2)
    model = fitted(spec, x, y, [range(0, 150, 2), range(1, 150, 2)], target)
    assert np.mean(model.predict(columns(x)) == y) > 0.95
    np.testing.assert_allclose(model.probabilities(columns(x)).sum(axis=1), 1)


def test_squared_loss_fits_a_number_in_its_own_unit() -> None:
    x, y = make_regression(600, 4, noise=5, random_state=3)
    target = Column("y", "number", -1000, 1000)
    spec = networks.Spec(loss="squared", rounds=30, learning_rate=0.02)
    model = fitted(spec, x, y, [range(200), range(200, 500)], target)
    assert r2_score(y[500:], model.predict(columns(x))[500:]) > 0.97


def small(rounds: int = 4, **settings: Any) -> tuple[networks.Spec, Facts, list[Rows]]:
    x, y = make_classification(90, 4, random_state=1)
    spec = networks.Spec(hidden=(6,), rounds=rounds, **settings)
    facts = Facts(features(x), BINARY, 2, 60)
    parts = [Rows(columns(x[a:b]), y[a:b].astype(float)) for a, b in ((0, 60), (60, 90))]
    return spec, facts, parts


def at_round(number: int, **settings: Any) -> tuple[list[networks.NetworkOwner], Step]:
    """Return owners that wait for a round, and its step."""
    spec, facts, parts = small(**settings)
    owners = [networks.owner(spec, facts, part) for part in parts]
    training = networks.train(spec, facts)
    step = next(training)
    while step.name != "network.round" or step.round < number:
        step = training.send(summed(step, [one.answer(step) for one in owners]))
    return owners, step


def test_a_training_goes_on_after_everybody_crashed_and_is_reproducible() -> None:
    spec, facts, parts = small()
    owners = [networks.owner(spec, facts, part) for part in parts]
    whole = run(networks.train(spec, facts), owners)
    _, step = at_round(3)
    fresh = [networks.owner(spec, facts, part) for part in parts]
    resumed = run(networks.train(spec, facts, step.checkpoint), fresh)
    np.testing.assert_allclose(resumed.weights, whole.weights, rtol=1e-9, atol=1e-12)


def test_a_proximal_term_holds_updates_back() -> None:
    lengths = []
    for proximal in (0.0, 10.0):
        owners, step = at_round(1, proximal=proximal, local_epochs=20)
        lengths.append(np.linalg.norm(owners[0].answer(step)["update"]))
    assert lengths[1] < lengths[0] / 2


def test_updates_are_no_longer_than_declared() -> None:
    owners, step = at_round(1, max_norm=0.01)
    update = owners[1].answer(step)["update"]
    assert np.linalg.norm(update) == pytest.approx(30 * 0.01)
    assert step.answer[0].bound == 60 * 0.01


def test_a_clip_survives_the_largest_numbers() -> None:
    np.testing.assert_allclose(clipped(np.array([3e300, 4e300]), 5.0), [3, 4])
    assert clipped(np.zeros(2), 5.0).tolist() == [0, 0]
    assert clipped(np.array([0.3, 0.4]), 5.0).tolist() == [0.3, 0.4]


def test_an_update_that_diverges_never_leaves() -> None:
    owners, step = at_round(1, learning_rate=10.0, local_epochs=20, loss="squared")
    with pytest.raises(TrainingImpossible, match="round 1 isn't finite"):
        owners[0].answer(step)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", np.zeros(36)),
        ("weights", np.full(37, np.nan)),
        ("scales", np.full(4, -1.0)),
        ("target", np.zeros(2)),
        ("centres", np.full(4, 7.0)),
        ("layer", np.zeros(3)),
    ],
)
def test_rounds_of_other_shapes_and_numbers_are_refused(name: str, value: Floats) -> None:
    owners, step = at_round(2)
    with pytest.raises(StepRefused, match=r"network\.round"):
        owners[0].answer(replace(step, numbers={**step.numbers, name: value}))


def test_steps_of_other_names_and_answers_are_refused() -> None:
    owners, step = at_round(1)
    with pytest.raises(StepRefused, match="name"):
        owners[0].answer(replace(step, name="network.rows"))
    with pytest.raises(StepRefused, match="shape"):
        owners[0].answer(replace(step, answer=step.answer[:2]))
    with pytest.raises(StepRefused, match="bound"):
        owners[0].answer(
            replace(step, answer=(replace(step.answer[0], bound=1.0), *step.answer[1:]))
        )


@pytest.mark.parametrize("weight", [0.0, 1e12])
def test_weights_that_owners_cant_have_are_refused(weight: float) -> None:
    spec, facts, parts = small()

    def lying(step: Step, answers: Sequence[Sums]) -> Sums:
        found = summed(step, answers)
        return {**found, "rows": np.array(weight)} if step.name == "network.round" else found

    owners = [networks.owner(spec, facts, part) for part in parts]
    with pytest.raises(PeerMisbehaved, match="weight"):
        run(networks.train(spec, facts), owners, lying)


def test_an_owner_of_no_rows_or_too_many_is_refused() -> None:
    spec, facts, parts = small()
    none = Rows({f"x{i}": np.zeros(0) for i in range(4)}, np.zeros(0))
    with pytest.raises(TrainingImpossible, match="without rows"):
        networks.owner(spec, facts, none)
    with pytest.raises(DataMismatch, match="59 rows"):
        networks.owner(spec, replace(facts, max_rows=59), parts[0])


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("squared", Column("y", "category", 0, 1, ("no", "yes"))),
        ("softmax", BINARY),
        ("logistic", Column("y", "number", 0, 2)),
        ("logistic", None),
    ],
)
def test_a_loss_that_doesnt_fit_the_target_is_said_at_once(
    loss: Loss, target: Column | None
) -> None:
    _, facts, _ = small()
    with pytest.raises(TrainingImpossible):
        next(networks.train(networks.Spec(loss=loss), replace(facts, target=target)))


def test_a_model_comes_back_from_json_and_spoilt_ones_dont() -> None:
    x, y = make_classification(90, 4, random_state=1)
    model = fitted(networks.Spec(hidden=(6, 5), rounds=2), x, y, [range(90)])
    back = model_from_json(model.to_json())
    assert back.predict(columns(x)).tolist() == model.predict(columns(x)).tolist()
    given = json.loads(model.to_json())
    for key, value in (
        ("weights", given["weights"][1:]),
        ("spec", {**given["spec"], "hidden": [6, 5, 5]}),
        ("scale", 0.0),
        ("centre", float("nan")),
        ("kind", "linear"),
    ):
        with pytest.raises(ModelMismatch):
            networks.NetworkModel.from_json(json.dumps({**given, key: value}))
