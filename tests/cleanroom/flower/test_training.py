"""An app run unchanged in the room, against Flower's own aggregation of single replies."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import flower_app
import numpy as np
import pytest

from cleanroom.errors import AppFailed, UnsupportedStrategy
from cleanroom.flower.conduct import conduct
from cleanroom.flower.model import ArraysModel
from cleanroom.flower.owner import AppOwner
from cleanroom.flower.spec import Spec
from cleanroom.learning import pooled
from cleanroom.learning.step import Step, Sums, Training

sys.path.append(str(flower_app.FOLDER))


@pytest.fixture(scope="module")
def owners() -> Iterator[list[AppOwner]]:
    """Three owners whose apps run for all trainings here."""
    made = flower_app.owners(flower_app.spec())
    yield made
    for owner in made:
        owner.close()


def training(spec: Spec, resume: dict[str, np.ndarray] | None = None) -> Training[ArraysModel]:
    return conduct(spec, flower_app.FACTS, flower_app.CODE, resume, flower_app.LIMITS)


class Rounded:
    """Sums to the precision that blocks promise; keeps the steps."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, step: Step, answers: Sequence[Sums]) -> Sums:
        self.steps.append(step)
        unit = {b.name: 3 * b.bound * 2.0**-62 for b in step.answer}
        rounded = [{n: np.round(v / unit[n]) * unit[n] for n, v in a.items()} for a in answers]
        return pooled.summed(step, rounded)


STRATEGIES = ("FedAvg", "FedAvgM", "FedProx", "FedAdam", "FedAdagrad", "FedYogi")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_gives_what_single_replies_give(
    strategy: str, owners: list[AppOwner], tmp_path: Path
) -> None:
    spec = flower_app.spec(config={"strategy": strategy})
    sums = Rounded()
    model = pooled.run(training(spec), owners, sums)
    [expected] = flower_app.direct(spec, tmp_path)
    assert list(model.arrays) == list(expected.arrays)
    for name, array in expected.arrays.items():
        np.testing.assert_allclose(model.arrays[name], array.numpy(), rtol=0, atol=1e-9)
        assert model.arrays[name].dtype == array.numpy().dtype
    report = sums.steps[-1].report
    assert report["train loss"] == pytest.approx(expected.train_metrics_clientapp[3]["loss"])
    accuracy = expected.evaluate_metrics_clientapp
    assert report["evaluate accuracy"] == pytest.approx(accuracy[2]["accuracy"])
    assert model.metrics["evaluate accuracy"] == pytest.approx(accuracy[3]["accuracy"])
    seen = [step.report["train seen"] for step in sums.steps if "train seen" in step.report]
    assert seen[-1] - seen[0] == 2  # the app's state lasts from round to round
    assert [step.round for step in sums.steps] == [1, 1, 2, 2, 3, 3]


def test_it_goes_on_where_it_stopped(owners: list[AppOwner]) -> None:
    spec = flower_app.spec(config={"strategy": "FedYogi", "rounds": 2})
    whole = Rounded()
    model = pooled.run(training(spec), owners, whole)
    rest = Rounded()
    again = pooled.run(training(spec, dict(whole.steps[2].checkpoint or {})), owners, rest)
    assert len(rest.steps) == 2
    for name, array in model.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
    other = flower_app.spec(config={"strategy": "FedYogi", "rounds": 2}, seed=1)
    with pytest.raises(AppFailed, match="doesn't repeat its rounds"):
        next(training(other, dict(whole.steps[2].checkpoint or {})))


def test_a_query_without_a_strategy_adds_up(owners: list[AppOwner]) -> None:
    config = {"strategy": "none", "how": "count"}
    model = pooled.run(training(flower_app.spec(config=config, own_aggregation=True)), owners)
    radius = np.concatenate([flower_app.rows(place).features["radius"] for place in range(3)])
    [total] = model.arrays.values()
    assert total.tolist() == pytest.approx([(radius > 0).sum(), (radius > 0.5).sum()])
    with pytest.raises(UnsupportedStrategy, match="without one of Flower's strategies"):
        next(training(flower_app.spec(config=config)))


def test_a_strategy_that_needs_single_replies_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedStrategy, match="Krum compares every update with every other"):
        next(training(flower_app.spec(config={"strategy": "Krum"})))


def test_a_stopped_training_leaves_no_process() -> None:
    running = training(flower_app.spec())
    next(running)
    running.close()
    with pytest.raises(StopIteration):
        next(running)
