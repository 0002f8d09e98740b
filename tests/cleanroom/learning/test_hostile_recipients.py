"""A recipient that departs from a training: owners refuse its steps and name it, whatever it asks.

Each family is trained honestly; before every step its owner is shown spoilt copies of that step.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from small_models import COLUMNS, FEATURES, TARGET, Y

from cleanroom.errors import CleanroomError, PeerMisbehaved
from cleanroom.learning import testing, trees
from cleanroom.learning.asked import Asked
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES
from cleanroom.learning.pooled import next_asked, run, summed
from cleanroom.learning.step import Block, Step, Training
from cleanroom.learning.wire import to_bytes

PREPARE = {"prepare": {"missing": "impute", "indicate_missing": True}}
PRIVATE = {"dp": {"epsilon": 5.0, "delta": 1e-6}, "rounds": 2, **PREPARE}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "linear": PREPARE,
    "logistic": PREPARE,
    "cox": {"max_rounds": 20, **PREPARE},
    "gbdt": {"trees": 2, "max_depth": 3},
    "kmeans": {"max_rounds": 3, **PREPARE},
    "pca": PREPARE,
    "network": {"hidden": [3], "rounds": 2, **PREPARE},
    "private_logistic": PRIVATE,
    "private_network": {"hidden": [2], **PRIVATE},
}
TIMES = np.random.default_rng(3).integers(0, 20, len(Y)).astype(float)
ODD = (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-300, -1.0, 0.5, 0.0, 2.0**53, 2.0**63)


@dataclass(frozen=True)
class Agreed:
    """As much of a plan as an owner asks of it."""

    recipient: str = "university"
    owners: tuple[str, ...] = ("north", "south")
    max_steps: int = 1000
    max_rounds: int = 1000
    max_words: int = 1 << 20


def rows(start: int, stop: int, facts: Facts) -> Rows:
    part = slice(start, stop)
    features = {name: values[part] for name, values in COLUMNS.items()}
    target = None if facts.target is None else Y[part]
    return Rows(features, target, None if facts.time is None else TIMES[part])


def begun(kind: str) -> tuple[Training[Any], list[testing.OwnerWithTest]]:
    """Return an honest training with a test, and its owners."""
    spec = FAMILIES[kind].spec.model_validate({"kind": kind, **KINDS[kind]})
    time = Column("t", "number", 0, 20) if kind == "cox" else None
    facts = Facts(FEATURES, None if kind in ("kmeans", "pca") else TARGET, 2, 200, time)
    held_out = facts.target is not None and "private" not in kind
    most = 1.0 if held_out and time is None else None
    owners = []
    for a, b, c in (0, 60, 130), (130, 190, 300):
        test = rows(b, c, facts) if held_out else None
        owners.append(testing.OwnerWithTest(spec, facts, rows(a, b, facts), test, most))
    training = FAMILIES[kind].train(spec, facts, None)
    return testing.tested(spec, facts, training, 99, held_out=held_out, max_membership=most), owners


def spoilt(step: Step, dice: np.random.Generator) -> Iterator[Step]:
    """Yield steps with a part that is gone, too much, of another shape, or odd."""
    for name, given in step.numbers.items():
        values = np.array(given, dtype=float)
        others: list[Floats] = [np.array(float(dice.choice(ODD))), np.zeros(0), values[None]]
        others += [np.full(values.shape, odd) for odd in dice.choice(ODD, 2)]
        if values.size:
            others.append(values.copy())
            others[-1].reshape(-1)[dice.integers(values.size)] = dice.choice(ODD)
        yield from (replace(step, numbers={**step.numbers, name: other}) for other in others)
        yield replace(step, numbers={n: v for n, v in step.numbers.items() if n != name})
    yield replace(step, numbers={**step.numbers, "more": np.zeros(2)})
    yield replace(step, answer=(*step.answer, Block("more", (2,), 1.0)))
    yield replace(step, answer=tuple(replace(block, bound=1e-300) for block in step.answer))
    yield replace(step, options={**step.options, "held_out": 1})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_spoilt_step_is_answered_or_refused_by_name(kind: str) -> None:
    training, owners = begun(kind)
    dice = np.random.default_rng(17)
    refused, step = list[CleanroomError](), next(training)
    try:
        while True:
            for other in spoilt(step, dice):
                asked = Asked(Agreed(), "north", deepcopy(owners[0]))  # type: ignore[arg-type]
                with np.errstate(all="ignore"):
                    refused += refusal(asked, replace(other, report={}, checkpoint=None))
            sums = summed(step, [owner.answer(step) for owner in owners])
            step = next_asked(training, sums)
    except StopIteration:
        wrongly = [error for error in refused if error.party != "university"]
    assert len(refused) > 10
    assert not [error for error in wrongly if "isn't finite" not in error.message]


def refusal(asked: Asked, step: Step) -> list[CleanroomError]:
    try:
        asked.words(to_bytes(step))
    except CleanroomError as error:
        return [error]
    return []


def test_a_training_is_over_once_it_is_tested() -> None:
    training, owners = begun("gbdt")
    step = next(training)
    while step.name != "membership.losses":
        sums = summed(step, [owner.answer(step) for owner in owners])
        last, step = step, next_asked(training, sums)
    owners[0].answer(step)
    with pytest.raises(StepRefused, match=f"{last.name} after the training was tested"):
        owners[0].answer(last)


def test_rounds_dont_go_back() -> None:
    training, owners = begun("network")
    step = next(training)
    asked = Asked(Agreed(), "north", deepcopy(owners[0]))  # type: ignore[arg-type]
    while step.round < 2:
        asked.words(to_bytes(step))
        sums = summed(step, [owner.answer(step) for owner in owners])
        first, step = step, next_asked(training, sums)
    asked.words(to_bytes(step))
    with pytest.raises(PeerMisbehaved, match="goes back behind round 2"):
        asked.words(to_bytes(first))


SPEC = trees.Spec(trees=3, max_depth=3, max_leaves=4, growth="leaf")
FACTS = Facts(FEATURES, TARGET, 2, 200)


def planted() -> tuple[trees.TreesOwner, list[Step]]:
    """Return an owner that has grown trees, and all that it was asked."""
    owner = trees.owner(SPEC, FACTS, rows(0, 200, FACTS))
    steps: list[Step] = []

    def answer(step: Step, answers: Sequence[Mapping[str, Floats]]) -> Mapping[str, Floats]:
        steps.append(step)
        return summed(step, answers)

    run(trees.train(SPEC, FACTS), [owner], answer)
    return owner, steps


def test_counts_and_quantiles_are_asked_no_oftener_than_a_training_does() -> None:
    owner, steps = planted()
    with pytest.raises(StepRefused, match=r"gbdt\.count after gbdt\.start"):
        owner.answer(steps[0])
    fresh = trees.owner(SPEC, FACTS, rows(0, 200, FACTS))
    for _ in range(4):
        fresh.answer(steps[0])
    with pytest.raises(StepRefused, match=r"gbdt\.count more than 4 times"):
        fresh.answer(steps[0])


def test_trees_begin_again_with_the_same_trees_alone() -> None:
    owner, steps = planted()
    start = next(step for step in steps if step.name == "gbdt.start")
    with pytest.raises(StepRefused, match="other bins or trees than before"):
        owner.answer(start)
    fresh = trees.owner(SPEC, FACTS, rows(0, 200, FACTS))
    fresh.answer(start)
    fresh.answer(start)
    edges = start.numbers["edges"] + 1e-9
    with pytest.raises(StepRefused, match="other bins or trees than before"):
        fresh.answer(replace(start, numbers={**start.numbers, "edges": edges}))
    with pytest.raises(StepRefused, match=r"gbdt\.start more than 3 times"):
        fresh.answer(start)


def test_a_tree_has_no_more_leaves_than_agreed() -> None:
    more = SPEC.model_copy(update={"max_leaves": 8})
    owner = trees.owner(SPEC, FACTS, rows(0, 200, FACTS))
    with pytest.raises(StepRefused, match="more leaves than were agreed on"):
        run(trees.train(more, FACTS), [owner])
