"""Private networks: rows' own gradients, what is learnt under noise, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning import pooled
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES, model_from_json
from cleanroom.learning.networks.perceptron import Loss, Perceptron
from cleanroom.learning.private import network
from cleanroom.learning.private.network import PrivateNetwork, Spec
from cleanroom.learning.private.spec import DpSpec
from protocols.dp.words import Words

N = 9000
DP = DpSpec(epsilon=1.0, delta=1e-6)
BINARY = Column("y", "number", 0.0, 1.0)
SPEC = Spec(dp=DP, rounds=50)


def facts(target: Column | None = BINARY) -> Facts:
    return Facts(tuple(Column(f"x{i}", "number", -1.0, 1.0) for i in range(3)), target, 3, N)


def drawn(n: int = N) -> tuple[Floats, Floats]:
    """Return rows of which no linear model tells much: two features work together."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (n, 3))
    chances = 1 / (1 + np.exp(-8 * x[:, 0] * x[:, 1]))
    return x, (rng.random(n) < chances).astype(float)


def named(x: Floats) -> dict[str, Floats]:
    return {f"x{i}": x[:, i] for i in range(x.shape[1])}


@pytest.mark.parametrize("loss", ["logistic", "softmax", "squared"])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
def test_rows_own_gradients_add_up_to_the_whole(loss: Loss, hidden: tuple[int, ...]) -> None:
    net = Perceptron((3, *hidden, 3 if loss == "softmax" else 1), loss)
    x, y = drawn(20)
    weights = net.first(7)
    alone = net.row_gradients(weights, x, y)
    np.testing.assert_allclose(alone.mean(axis=0), net.gradient(weights, x, y), atol=1e-12)
    np.testing.assert_allclose(alone[4], net.gradient(weights, x[4:5], y[4:5]), atol=1e-12)


def test_a_network_learns_under_noise_and_travels() -> None:
    x, y = drawn()
    owners = [
        network.owner(SPEC, facts(), Rows(named(x[part]), y[part]), Words(bytes([i] * 32)))
        for i, part in enumerate(np.array_split(np.arange(N), 3))
    ]
    model = pooled.run(FAMILIES[SPEC.kind].train(SPEC, facts(), None), owners)
    best = roc_auc_score(y, x[:, 0] * x[:, 1])
    assert roc_auc_score(y, model.predict(named(x))) > best - 0.02
    assert float(model.privacy["epsilon"]) <= 1.0
    again = model_from_json(model.to_json())
    assert isinstance(again, PrivateNetwork)
    np.testing.assert_array_equal(again.predict(named(x)), model.predict(named(x)))
    with pytest.raises(ModelMismatch):
        PrivateNetwork.from_json(model.to_json().replace('"weights": [', '"weights": [1.0, '))


def test_a_training_goes_on_from_its_checkpoint() -> None:
    x, y = drawn(90)
    rows = Rows(named(x), y)
    spec = SPEC.model_copy(update={"rounds": 4})
    training, first = network.train(spec, facts()), network.owner(spec, facts(), rows)
    step = next(training)
    for _ in range(2):
        step = training.send(first.answer(step))
    later = network.train(spec, facts(), step.checkpoint)
    assert next(later).round == step.round == 2
    np.testing.assert_array_equal(step.numbers["weights"], step.checkpoint["weights"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("logistic", Column("y", "number", 0.0, 5.0)),
        ("softmax", BINARY),
        ("squared", Column("y", "category", 0, 1, ("a", "b"))),
        ("squared", None),
    ],
)
def test_what_cannot_be_learnt_is_refused(loss: Loss, target: Column | None) -> None:
    with pytest.raises(TrainingImpossible):
        network.cost(SPEC.model_copy(update={"loss": loss}), facts(target))


def test_rows_that_differ_are_refused() -> None:
    x, y = drawn(30)
    with pytest.raises(DataMismatch):
        network.owner(SPEC, facts(), Rows(named(3 * x), y))


def test_no_target_makes_an_owner_refuse() -> None:
    """A refusal would be an exact answer about its rows, which nobody paid for."""
    x, y = drawn(30)
    owner = network.owner(SPEC, facts(), Rows(named(x), y / 2), Words(bytes(32)))
    training = FAMILIES[SPEC.kind].train(SPEC, facts(), None)
    step = next(training)
    for _ in range(2):
        sums = owner.answer(step)
        assert np.isfinite(sums["sum"]).all()
        step = training.send(sums)
