"""The course of a training at its recipient: every round is told, also the last."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_models import COLUMNS, FEATURES, TARGET, Y

from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.layout import Preparing
from cleanroom.learning.pooled import summed
from cleanroom.learning.step import Step
from cleanroom.recipient.course import Course

PREPARE = Preparing(missing="impute").model_dump()
FACTS = Facts(FEATURES, TARGET, 2, len(Y))
TIMED = replace(FACTS, features=FEATURES[1:], time=replace(FEATURES[0], high=101.0))
NOISY = {"dp": {"epsilon": 1.0, "delta": 1e-6}, "rounds": 3, "prepare": PREPARE}
PARTS = slice(0, 100), slice(100, None)
JOBS: dict[str, tuple[dict[str, Any], Facts, set[str]]] = {
    "linear": ({"prepare": PREPARE}, FACTS, {"loss", "explained", "moved"}),
    "logistic": ({"prepare": PREPARE}, FACTS, {"loss", "explained", "moved"}),
    "cox": ({"prepare": PREPARE}, TIMED, {"loss", "moved"}),
    "gbdt": ({"trees": 4}, FACTS, {"loss", "explained"}),
    "network": ({"hidden": [4], "rounds": 3, "prepare": PREPARE}, FACTS, {"loss", "moved"}),
    "kmeans": ({"prepare": PREPARE}, replace(FACTS, target=None), {"inertia", "moved"}),
    "private_logistic": (NOISY, FACTS, {"moved"}),
    "private_network": (NOISY, FACTS, {"moved"}),
    "pca": ({"prepare": PREPARE}, replace(FACTS, target=None), {"explained"}),
}


def rows_of(facts: Facts, part: slice) -> Rows:
    time = COLUMNS[facts.time.name][part] if facts.time else None
    features = {column.name: COLUMNS[column.name][part] for column in facts.features}
    return Rows(features, Y[part] if facts.target else None, time)


def course_of(kind: str, seen: list[tuple[int, Mapping[str, float]]]) -> tuple[Course[Any], Any]:
    """Run a training to its end; return its course and its model."""
    settings, facts, _ = JOBS[kind]
    family = FAMILIES[kind]
    spec = family.spec.model_validate({"kind": kind, **settings})
    owners = [family.owner(spec, facts, rows_of(facts, part)) for part in PARTS]
    training = family.train(spec, facts, None)

    def watch(number: int, told: Mapping[str, float]) -> None:
        seen.append((number, told))

    course: Course[Any] = Course(training, next(training), None, watch)
    at = course.begin()
    while isinstance(at, Step):
        assert at.answer, "an owner is asked for nothing"
        at = course.next(summed(at, [owner.answer(at) for owner in owners]))
    return course, at.model


@pytest.mark.parametrize("kind", JOBS)
def test_every_round_is_told_to_the_last(kind: str) -> None:
    seen: list[tuple[int, Mapping[str, float]]] = []
    course, model = course_of(kind, seen)
    settings, _, names = JOBS[kind]
    rounds = settings.get("trees", settings.get("rounds", getattr(model, "rounds", 1)))
    assert [number for number, _ in seen] == list(range(1, rounds + 1))
    assert course.rounds == [{"round": number, **told} for number, told in seen]
    assert all(set(told) == names for _, told in seen)
    figures = getattr(model, "figures", {})
    last = {name: value for name, value in seen[-1][1].items() if name in figures}
    assert last == pytest.approx({name: figures[name] for name in last})


def test_trees_that_are_resumed_go_on_from_the_same_first_loss() -> None:
    settings, facts, _ = JOBS["gbdt"]
    family, spec = FAMILIES["gbdt"], FAMILIES["gbdt"].spec.model_validate(settings)
    course, _ = course_of("gbdt", [])
    mean = Y.mean()
    first = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    for told in course.rounds:
        assert told["explained"] == pytest.approx(1 - told["loss"] / first, abs=1e-4)
    steps: list[Step] = []
    for resume in (None, 3):
        owners = [family.owner(spec, facts, rows_of(facts, part)) for part in PARTS]
        kept = None if resume is None else next(s for s in steps if s.round == resume).checkpoint
        steps.clear()
        training = family.train(spec, facts, kept)
        at = next(training)
        while at.answer:
            steps.append(at)
            at = training.send(summed(at, [owner.answer(at) for owner in owners]))
        assert at.report == {name: course.rounds[-1][name] for name in ("loss", "explained")}
