"""The membership check: what a model gives away of who trained it, by hand and against a limit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score, roc_curve

from cleanroom.learning import membership, trees
from cleanroom.learning.errors import ModelWithheld, StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.membership import Attacked, MembershipOwner, attack
from cleanroom.learning.pooled import run

X, Y = make_classification(1200, 8, n_informative=3, flip_y=0.3, random_state=4)
COLUMNS = {f"x{i}": v for i, v in enumerate(X.T)}
FEATURES = tuple(Column(n, "number", float(v.min()), float(v.max())) for n, v in COLUMNS.items())
FACTS = Facts(FEATURES, Column("y", "number", 0, 1), 2, 600)
OWNERS = (range(300), range(300, 600))
HELD_OUT = (range(600, 900), range(900, 1200))


def part(which: Sequence[int], facts: Facts = FACTS) -> Rows:
    index = list(which)
    return Rows({c.name: COLUMNS[c.name][index] for c in facts.features}, Y[index].astype(float))


def fitted(spec: trees.Spec) -> trees.Model:
    owners = [trees.owner(spec, FACTS, part(rows)) for rows in OWNERS]
    return run(trees.train(spec, FACTS), owners)


def attacked(spec: membership.Spec, model: trees.Model) -> Attacked:
    owners = [
        MembershipOwner(spec, FACTS, part(mine), part(others))
        for mine, others in zip(OWNERS, HELD_OUT, strict=True)
    ]
    return run(attack(spec, FACTS, model), owners)


def losses(model: trees.Model) -> Floats:
    score = model.predict(COLUMNS)
    return np.where(Y == 1, score, 1 - score)


@pytest.fixture(scope="module")
def careless() -> trees.Model:
    return fitted(trees.Spec(trees=100, max_depth=8, min_child_weight=1e-3, l2=0))


def test_the_attack_is_that_on_the_rows_themselves(careless: trees.Model) -> None:
    found = attacked(membership.Spec(measure="binary", most=1), careless)
    trained = np.arange(1200) < 600
    false, true, _ = roc_curve(trained, losses(careless), drop_intermediate=False)
    assert found.rate == pytest.approx(np.interp(0.01, false, true), abs=0.01)
    assert found.auc == pytest.approx(roc_auc_score(trained, losses(careless)), abs=1e-3)


def test_a_model_that_remembers_its_rows_is_withheld(careless: trees.Model) -> None:
    with pytest.raises(ModelWithheld, match=r"5\.7% .* 4\.0% are allowed"):
        attacked(membership.Spec(measure="binary", most=0.04), careless)


def test_a_careful_model_passes() -> None:
    found = attacked(
        membership.Spec(measure="binary", most=0.04), fitted(trees.Spec(trees=5, max_depth=2))
    )
    assert found.auc == pytest.approx(0.5, abs=0.05)


def test_errors_of_a_number_are_compared_too() -> None:
    model = fitted(trees.Spec(loss="squared", trees=40, max_depth=8, l2=0))
    found = attacked(membership.Spec(measure="number", most=1), model)
    close = -np.abs(model.predict(COLUMNS) - Y)
    trained = np.arange(1200) < 600
    assert found.auc == pytest.approx(roc_auc_score(trained, close), abs=1e-2)
    assert found.auc > 0.7


def test_too_few_rows_held_out_tell_nothing() -> None:
    spec, model = membership.Spec(measure="binary"), fitted(trees.Spec(trees=1))
    owners = [MembershipOwner(spec, FACTS, part(OWNERS[0]), part(range(600, 699)))]
    with pytest.raises(TrainingImpossible, match="100 rows"):
        run(attack(spec, FACTS, model), owners)


def test_steps_are_asked_once_and_in_their_shape() -> None:
    spec, model = membership.Spec(measure="binary"), fitted(trees.Spec(trees=1))
    owner = MembershipOwner(spec, FACTS, part(OWNERS[0]), part(HELD_OUT[0]))
    step = next(attack(spec, FACTS, model))
    owner.answer(step)
    with pytest.raises(StepRefused, match="more than 1"):
        owner.answer(step)
    fresh = MembershipOwner(spec, FACTS, part(OWNERS[0]), part(HELD_OUT[0]))
    with pytest.raises(StepRefused, match="name"):
        fresh.answer(replace(step, name="membership.rows"))
    with pytest.raises(StepRefused, match="shape"):
        fresh.answer(replace(step, answer=()))
