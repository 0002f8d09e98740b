"""What an owner answers, and what it refuses by name before anything is masked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import training

from cleanroom.errors import CleanroomError, DataMismatch, PeerMisbehaved, PolicyDenied
from cleanroom.learning.answers import n_words, sums_of
from cleanroom.learning.asked import Asked
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Floats
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.job import Job
from cleanroom.learning.own import own_rows
from cleanroom.learning.step import Block, Step
from cleanroom.learning.testing import OwnerWithTest
from cleanroom.learning.wire import to_bytes
from cleanroom.plan.training import TrainPlan
from cleanroom.query.training import compile_training

STEP = Step("sum", (Block("a", (2, 2), 10.0), Block("b", (), 1.0)))
GOOD = {"a": np.array([[1.5, -2.25], [0.0, 10.0]]), "b": np.array(0.125)}


class Always:
    """An owner that gives the same to every step."""

    def __init__(self, answer: Mapping[str, Floats]) -> None:
        self._answer = answer

    def answer(self, step: Step) -> Mapping[str, Floats]:
        return self._answer


def plan_of(model: dict[str, Any] | None = None, **changed: object) -> TrainPlan:
    job = Job.of(training.job(model, **changed))
    return compile_training(job, training.terms(min_group=10), "0" * 64, "university")


def asked(answer: Mapping[str, Floats] = GOOD, **changed: object) -> Asked:
    return Asked(plan_of(**changed), "north", Always(answer))


def test_words_of_several_owners_add_up_to_their_sum() -> None:
    words = asked().words(to_bytes(STEP))
    assert len(words) == n_words(STEP) == 5
    sums = sums_of(STEP, words + words + words, 3, ("north", "south", "west"))
    np.testing.assert_allclose(sums["a"], 3 * GOOD["a"], rtol=1e-15)
    assert sums["b"].shape == ()


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({**GOOD, "b": np.array(np.nan)}, "b: an update holds NaN or infinity"),
        ({**GOOD, "a": np.full((2, 2), np.inf)}, "a: an update holds NaN or infinity"),
        ({**GOOD, "b": np.array(1.01)}, "b: an entry of an update is beyond its bound"),
        ({**GOOD, "a": np.zeros((2, 3))}, "a of another shape"),
        ({"a": GOOD["a"]}, "other blocks"),
        ({**GOOD, "layer": np.zeros(2)}, "other blocks"),
    ],
)
def test_an_update_that_cannot_enter_a_sum_names_its_owner(
    answer: Mapping[str, Floats], named: str
) -> None:
    with pytest.raises(DataMismatch) as refused:
        asked(answer).words(to_bytes(STEP))
    assert refused.value.party == "north"
    assert named in refused.value.message


@pytest.mark.parametrize(
    ("question", "named"),
    [
        (b"\0\0\0\0{}", "not a step"),
        (to_bytes(STEP)[:-1], ""),
        (to_bytes(Step("sum", (Block("a", (1 << 23,), 1.0),))), "more than 4194304 numbers"),
        (to_bytes(Step("sum", STEP.answer, round=9)), "more than 8 rounds"),
    ],
)
def test_a_question_beyond_the_plan_names_the_recipient(question: bytes, named: str) -> None:
    with pytest.raises(PeerMisbehaved) as refused:
        asked(max_rounds=7).words(question)
    assert refused.value.party == "university"
    assert named in refused.value.message


def test_more_sums_than_agreed_are_refused() -> None:
    one = asked(max_rounds=1)
    one.steps = plan_of(max_rounds=1).max_steps
    with pytest.raises(PeerMisbehaved, match="asks for more than"):
        one.words(to_bytes(STEP))


def test_a_sum_beyond_what_owners_may_have_is_refused() -> None:
    words = asked().words(to_bytes(STEP))
    words[0] = np.uint64(1 << 62)
    with pytest.raises(PeerMisbehaved, match="the sum of a in step sum"):
        sums_of(STEP, words, 3, ("north",))


def found(n: int, persons: int) -> dict[str, np.ndarray]:
    hashes = np.arange(n, dtype=np.uint64) % np.uint64(persons) * np.uint64(1 << 60)
    columns = {f"feature_{i}": np.arange(n) % 2 + 20.0 for i in range(2)}
    return {"person": hashes, "target": np.arange(n) % 2 * 1.0, **columns, "feature_2": np.ones(n)}


def test_an_owner_with_too_few_persons_takes_no_part() -> None:
    few_held_out = np.arange(200, dtype=np.uint64) % 24
    few_held_out[few_held_out > 4] += np.uint64(1 << 63)
    for plan, rows, named in (
        (plan_of(), found(9, 9), "fewer than 10 persons in this training"),
        (plan_of(holdout=0.5), found(200, 1) | {"person": few_held_out}, "among those held out"),
    ):
        with pytest.raises(PolicyDenied) as refused:
            own_rows(plan, "west", rows)
        assert refused.value.party == "west"
        assert named in refused.value.message


def test_too_few_persons_are_no_answer_where_sums_are_noisy() -> None:
    plan = plan_of({"kind": "private_logistic", "dp": {"epsilon": 1.0}})
    train, _ = own_rows(plan, "west", found(3, 3))
    nobody, _ = own_rows(plan, "west", found(0, 1))
    spec = Job.read(plan.job).spec
    for rows in train, nobody:
        step = next(FAMILIES[plan.kind].train(spec, plan.facts, None))
        owner = OwnerWithTest(spec, plan.facts, rows, None)
        assert len(Asked(plan, "west", owner).words(to_bytes(step))) == n_words(step)


def test_a_person_is_wholly_held_out_or_not_at_all() -> None:
    plan = plan_of(holdout=0.5)
    rows = found(640, 16) | {"person": np.arange(640, dtype=np.uint64) % 32 << np.uint64(59)}
    train, test = own_rows(plan, "west", rows)
    assert test is not None
    assert (len(train), len(test)) == (320, 320)


def test_a_step_that_is_not_the_familys_names_the_recipient() -> None:
    plan = plan_of()
    train, test = own_rows(plan, "north", found(40, 16))
    owner = OwnerWithTest(Job.of(training.job()).spec, plan.facts, train, test)
    for step in (STEP, Step("sum", STEP.answer, options={"held_out": True})):
        with pytest.raises(CleanroomError) as refused:
            Asked(plan, "north", owner).words(to_bytes(step))
        assert isinstance(refused.value, StepRefused)
        assert refused.value.party == "university"
