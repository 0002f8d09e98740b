"""Gradient boosted trees: the pooled learner's bit by bit, and as good as scikit-learn's."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_classification, make_regression
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from threadpoolctl import threadpool_limits

from cleanroom.errors import DataMismatch, ModelMismatch
from cleanroom.learning import trees
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.pooled import run, summed
from cleanroom.learning.step import Block, Step, Sums
from cleanroom.learning.trees import quantiles
from cleanroom.learning.wire import from_bytes, to_bytes

COLOURS = ("red", "green", "blue", "grey", "black")
MIXED = (
    Column("age", "number", 0, 100),
    Column("wage", "number", 0, 1e6, nullable=True),
    Column("colour", "category", 0, 4, COLOURS, nullable=True),
)
BINARY = Column("y", "number", 0, 1)


def mixed(n: int, seed: int) -> tuple[dict[str, Floats], Floats]:
    """Make numbers, skewed numbers with gaps, and categories; and a target in [0, 1]."""
    rng = np.random.default_rng(seed)
    age, wage = rng.integers(0, 100, n).astype(float), rng.lognormal(7, 2, n).clip(0, 1e6)
    colour = rng.integers(-1, 5, n).astype(float)
    wage[rng.random(n) < 0.2] = np.nan
    signal = np.sin(age / 15) + np.where(np.isnan(wage), 1, np.log1p(np.nan_to_num(wage)) / 10)
    signal += np.array([0.0, 1.0, 0.2, 1.1, 0.1, 0.3])[colour.astype(int)]
    noisy = signal + rng.normal(0, 0.5, n)
    return {"age": age, "wage": wage, "colour": colour}, (noisy > 1.3).astype(float)


def part(columns: dict[str, Floats], target: Floats, rows: Sequence[int]) -> Rows:
    index = np.asarray(rows, dtype=np.int64)
    return Rows({name: values[index] for name, values in columns.items()}, target[index])


def fitted(
    spec: trees.Spec,
    columns: dict[str, Floats],
    target: Floats,
    parts: Sequence[Sequence[int]],
    features: tuple[Column, ...] = MIXED,
    goal: Column = BINARY,
) -> trees.Model:
    facts = Facts(features, goal, len(parts), 12_000 // len(parts))
    owners = [trees.owner(spec, facts, part(columns, target, rows)) for rows in parts]
    return run(trees.train(spec, facts), owners)


def numbers(x: Floats) -> tuple[dict[str, Floats], tuple[Column, ...]]:
    """Take a matrix's columns as features, each within bounds that are far too wide."""
    columns = {f"x{i}": np.ascontiguousarray(x[:, i]) for i in range(x.shape[1])}
    wide = [(float(v.min()) - 50, float(v.max()) + 500) for v in columns.values()]
    return columns, tuple(Column(f"x{i}", "number", *wide[i]) for i in range(x.shape[1]))


@pytest.mark.parametrize("loss", ["logistic", "squared"])
@pytest.mark.parametrize("growth", ["level", "leaf"])
@pytest.mark.parametrize("categories", ["one_hot", "ordered"])
def test_trees_are_those_of_the_pooled_rows(loss: str, growth: str, categories: str) -> None:
    columns, target = mixed(600, 1)
    spec = trees.Spec.model_validate(
        {"trees": 8, "loss": loss, "growth": growth, "categories": categories, "max_leaves": 12}
    )
    pooled = fitted(spec, columns, target, [range(600)])
    apart = fitted(spec, columns, target, [range(500, 600), [], range(500)])
    assert pooled.forest.nodes.tobytes() == apart.forest.nodes.tobytes()
    assert pooled.base == apart.base
    assert len(pooled.forest.nodes) > 8 * 5


def by_hand(
    codes: Floats, g: Floats, h: Floats, rows: Floats, depth: int, spec: trees.Spec
) -> Floats:
    """Return what each of these rows gets from a tree grown by plain recursion."""
    best, split = 0.0, None
    whole = g[rows].sum() ** 2 / (h[rows].sum() + spec.l2)
    for f in range(codes.shape[1]):
        for cut in range(int(codes[:, f].max())):
            left = codes[rows, f] <= cut
            sums = [(g[rows[s]].sum(), h[rows[s]].sum()) for s in (left, ~left)]
            if depth and min(w for _, w in sums) >= spec.min_child_weight:
                gain = sum(a * a / (w + spec.l2) for a, w in sums) - whole
                if gain > best + 1e-9:
                    best, split = gain, left
    result = np.zeros(len(g))
    if split is None:
        result[rows] = -spec.learning_rate * g[rows].sum() / (h[rows].sum() + spec.l2)
        return result
    return sum(by_hand(codes, g, h, rows[s], depth - 1, spec) for s in (split, ~split))


def test_trees_are_those_of_plain_recursion() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, (300, 3)).astype(float)
    y = (x[:, 0] + rng.normal(0, 3, 300) > x[:, 1]).astype(float)
    columns = {name: x[:, i] for i, name in enumerate("abc")}
    spec = trees.Spec(trees=3, max_depth=3, max_bins=32, learning_rate=0.3)
    features = tuple(Column(name, "number", 0, 11) for name in "abc")
    model = fitted(spec, columns, y, [range(0, 300, 2), range(1, 300, 2)], features)
    score = np.full(300, np.log(y.mean() / (1 - y.mean())))
    for _ in range(3):
        p = 1 / (1 + np.exp(-score))
        score += by_hand(x, p - y, p * (1 - p), np.arange(300), 3, spec)
    np.testing.assert_allclose(model.scores(columns), score, atol=1e-6)


def one_thread() -> threadpool_limits:
    """Keep scikit-learn from spinning on cores that others use."""
    return threadpool_limits(1)


def test_as_good_as_scikit_learn_on_breast_cancer() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    columns, features = numbers(x)
    held = np.arange(len(y)) % 3 == 0
    rows = np.flatnonzero(~held)
    model = fitted(trees.Spec(), columns, y.astype(float), np.array_split(rows, 3), features)
    with one_thread():
        theirs = HistGradientBoostingClassifier(max_iter=100).fit(x[rows], y[rows])
    ours = roc_auc_score(y[held], model.predict(columns)[held])
    assert ours >= roc_auc_score(y[held], theirs.predict_proba(x[held])[:, 1]) - 0.005


def test_as_good_as_scikit_learn_on_made_up_rows() -> None:
    x, y = make_classification(6000, 12, n_informative=8, flip_y=0.1, random_state=5)
    columns, features = numbers(x)
    rows = np.arange(3000)
    model = fitted(trees.Spec(), columns, y.astype(float), np.array_split(rows, 3), features)
    with one_thread():
        theirs = HistGradientBoostingClassifier(max_iter=100).fit(x[:3000], y[:3000])
    ours = roc_auc_score(y[3000:], model.predict(columns)[3000:])
    assert ours >= roc_auc_score(y[3000:], theirs.predict_proba(x[3000:])[:, 1]) - 0.005


def test_as_good_as_scikit_learn_on_a_number() -> None:
    x, y = make_regression(3000, 6, noise=20, random_state=5)
    columns, features = numbers(x)
    goal = Column("y", "number", -1000, 1000)
    spec = trees.Spec(loss="squared", min_child_weight=20, max_bins=255)
    model = fitted(spec, columns, y, [range(1000), range(1000, 2000)], features, goal)
    with one_thread():
        theirs = HistGradientBoostingRegressor(max_iter=100).fit(x[:2000], y[:2000])
    ours = r2_score(y[2000:], model.predict(columns)[2000:])
    assert ours >= r2_score(y[2000:], theirs.predict(x[2000:])) - 0.005


@pytest.mark.parametrize("growth", ["level", "leaf"])
def test_a_training_goes_on_after_everybody_crashed(growth: str) -> None:
    columns, target = mixed(400, 2)
    spec = trees.Spec.model_validate({"trees": 6, "growth": growth})
    facts = Facts(MIXED, BINARY, 2, 6000)
    rows = [part(columns, target, range(150)), part(columns, target, range(150, 400))]
    whole = fitted(spec, columns, target, [range(150), range(150, 400)])
    owners = [trees.owner(spec, facts, one) for one in rows]
    training = trees.train(spec, facts)
    step = next(training)
    while step.round < 4:
        step = training.send(summed(step, [one.answer(step) for one in owners]))
    assert step.checkpoint is not None
    fresh = [trees.owner(spec, facts, one) for one in rows]
    resumed = run(trees.train(spec, facts, step.checkpoint), fresh)
    assert resumed.forest.nodes.tobytes() == whole.forest.nodes.tobytes()


def test_a_tree_is_grown_again_when_an_owner_drops_out() -> None:
    columns, target = mixed(400, 2)
    spec = trees.Spec(trees=4, max_depth=3)
    facts = Facts(MIXED, BINARY, 2, 6000)
    owners = [trees.owner(spec, facts, part(columns, target, r)) for r in (range(300), range(150))]
    asked: list[Step] = []

    def answer(step: Step, answers: Sequence[Sums]) -> Sums:
        asked.append(step)
        return summed(step, answers if step.round < 3 or step.name == "gbdt.tree" else answers[:1])

    model = run(trees.train(spec, facts), owners, answer)
    names = [step.name for step in asked if step.round == 3]
    assert names == ["gbdt.tree", "gbdt.split", "gbdt.start", "gbdt.split", "gbdt.split"]
    assert len(model.forest.sizes) == 4


def test_losses_fall_and_levels_take_a_step_each() -> None:
    columns, target = mixed(500, 4)
    spec = trees.Spec(trees=5, max_depth=3)
    facts = Facts(MIXED, BINARY, 1, 500)
    owner = trees.owner(spec, facts, part(columns, target, range(500)))
    steps: list[Step] = []

    def answer(step: Step, answers: Sequence[Sums]) -> Sums:
        steps.append(step)
        return summed(step, answers)

    run(trees.train(spec, facts), [owner], answer)
    losses = [step.report["loss"] for step in steps if step.report]
    assert losses == sorted(losses, reverse=True)
    shares = np.array([target.mean(), 1 - target.mean()])
    assert losses[0] == pytest.approx(-np.log(shares) @ shares)
    assert len(steps) == quantiles.ROUNDS + 5 * 3
    assert all(to_bytes(from_bytes(to_bytes(step), 100_000)) == to_bytes(step) for step in steps)
    assert [step.round for step in steps if step.checkpoint] == [1, 2, 3, 4, 5]


def test_a_model_comes_back_from_json() -> None:
    columns, target = mixed(400, 6)
    columns["colour"][:10] = -1
    for categories in ("one_hot", "ordered"):
        spec = trees.Spec.model_validate({"trees": 5, "categories": categories})
        model = fitted(spec, columns, target, [range(400)])
        back = trees.Model.from_json(model.to_json())
        assert back.forest.nodes.tobytes() == model.forest.nodes.tobytes()
        words = np.array([None if c < 0 else COLOURS[int(c)] for c in columns["colour"]], object)
        worded = {**columns, "colour": words}
        assert back.predict(worded).tolist() == model.predict(columns).tolist()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "forest"),
        ("base", None),
        ("edges", [[1.0], [2.0, 1.0]]),
        ("trees", [[{"feature": "age", "at_most": 3.0, "left": 0, "right": 1}]]),
        ("trees", [[{"feature": "shoe", "at_most": 3.0, "left": 1, "right": 2}]]),
        ("trees", [[{"feature": "colour", "in": ["mauve"], "left": 1, "right": 2}]]),
        ("features", []),
    ],
)
def test_a_spoilt_model_is_refused(key: str, value: object) -> None:
    columns, target = mixed(60, 6)
    model = fitted(trees.Spec(trees=1), columns, target, [range(60)])
    spoilt = json.dumps({**json.loads(model.to_json()), key: value})
    with pytest.raises(ModelMismatch):
        trees.Model.from_json(spoilt)


def test_a_model_names_the_column_that_is_absent() -> None:
    columns, target = mixed(60, 6)
    model = fitted(trees.Spec(trees=1), columns, target, [range(60)])
    with pytest.raises(DataMismatch, match="wage"):
        model.predict({"age": columns["age"], "colour": columns["colour"]})


def test_quantiles_of_skewed_numbers_are_found() -> None:
    values = np.random.default_rng(1).lognormal(2, 2, 20_000)
    column = Column("x", "number", 0, 1e9)
    ends = quantiles.even(column)
    for again in range(quantiles.ROUNDS):
        counts = np.diff(np.concatenate([[0], np.searchsorted(np.sort(values), ends), [20_000]]))
        if again + 1 < quantiles.ROUNDS:
            ends = quantiles.refined(column, ends, counts.astype(float))
    edges = quantiles.chosen(ends, counts.astype(float), 16)
    shares = np.diff(np.searchsorted(np.sort(values), np.concatenate([[0], edges, [1e9]]))) / 20_000
    np.testing.assert_allclose(shares, 1 / 16, atol=0.01)


def test_few_values_have_a_bin_each() -> None:
    column = Column("x", "number", 0, 1023)
    counts = np.zeros(1024)
    counts[[0, 1, 500, 1023]] = [5, 1, 1, 9999]
    edges = quantiles.chosen(quantiles.even(column), counts, 8)
    assert np.isfinite(edges).sum() == 3
    assert np.searchsorted(edges, [0, 1, 500, 1023]).tolist() == [0, 1, 2, 3]


FACTS = Facts(MIXED, BINARY, 1, 60)
SPEC = trees.Spec(trees=2, max_bins=4)


def begun() -> tuple[trees.TreesOwner, Step, Step]:
    """Return an owner that waits for the step after a tree's first, that step, and the first."""
    owner = trees.owner(SPEC, FACTS, part(*mixed(60, 8), range(60)))
    training = trees.train(SPEC, FACTS)
    step = next(training)
    while step.name != "gbdt.split":
        first = step
        step = training.send(summed(step, [owner.answer(step)]))
    return owner, step, first


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nodes", [1.0]),
        ("nodes", [0.5]),
        ("features", [3.0]),
        ("features", [np.nan]),
        ("words", np.full((1, 8), -1.0)),
        ("words", np.zeros((1, 7))),
        ("wanted", [3.0]),
        ("extra", [0.0]),
    ],
)
def test_a_step_that_splits_nothing_there_is_refused(name: str, value: object) -> None:
    owner, step, _ = begun()
    spoilt = replace(step, numbers={**step.numbers, name: np.asarray(value, float)})
    with pytest.raises(StepRefused, match=r"gbdt\.split"):
        owner.answer(spoilt)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("edges", np.zeros((1, 3))),
        ("edges", np.zeros((2, 3))),
        ("base", np.inf),
        ("nodes", np.zeros((1, 11))),
        ("sizes", [0.0]),
    ],
)
def test_a_first_step_with_impossible_trees_is_refused(name: str, value: object) -> None:
    owner, _, first = begun()
    with pytest.raises(StepRefused):
        owner.answer(replace(first, numbers={**first.numbers, name: np.asarray(value, float)}))


def test_trees_that_lead_back_are_refused() -> None:
    owner, _, first = begun()
    loop = np.zeros((3, 11))
    loop[1:, 0] = -1
    numbers = {**first.numbers, "nodes": loop, "sizes": np.array([3.0])}
    with pytest.raises(StepRefused, match="downwards"):
        owner.answer(replace(first, numbers=numbers))


def test_steps_of_other_names_shapes_and_bounds_are_refused() -> None:
    owner, step, _ = begun()
    with pytest.raises(StepRefused, match=r"isn't a step"):
        owner.answer(replace(step, name="gbdt.rows"))
    with pytest.raises(StepRefused, match=r"gbdt\.split"):
        owner.answer(replace(step, answer=(*step.answer, Block("more", (1,), 1.0))))
    with pytest.raises(StepRefused, match="bound"):
        owner.answer(replace(step, answer=(replace(step.answer[0], bound=1.0), step.answer[1])))
    fresh = trees.owner(SPEC, FACTS, part(*mixed(60, 8), range(60)))
    with pytest.raises(StepRefused, match="before"):
        fresh.answer(step)


def test_deeper_trees_and_more_of_them_than_agreed_are_refused() -> None:
    agreed = trees.Spec(trees=2, max_bins=4, max_depth=1)
    owner = trees.owner(agreed, FACTS, part(*mixed(60, 8), range(60)))
    deeper = trees.train(SPEC, FACTS)
    with pytest.raises(StepRefused, match="depth"):
        run(deeper, [owner])
    more = trees.train(trees.Spec(trees=200, max_bins=4, max_depth=1), FACTS)
    fresh = trees.owner(agreed, FACTS, part(*mixed(60, 8), range(60)))
    with pytest.raises(StepRefused, match="more trees"):
        run(more, [fresh])


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, target=None),
        replace(FACTS, target=Column("y", "number", 0, 9)),
        replace(FACTS, features=(Column("x", "category", 0, 299, tuple(map(str, range(300)))),)),
    ],
)
def test_what_trees_cant_learn_is_said_at_once(facts: Facts) -> None:
    with pytest.raises(TrainingImpossible):
        next(trees.train(SPEC, facts))


def test_rows_that_arent_0_or_1_are_refused() -> None:
    columns, target = mixed(60, 8)
    with pytest.raises(DataMismatch, match="neither 0 nor 1"):
        trees.owner(SPEC, FACTS, part(columns, target / 2, range(60)))


def test_no_rows_at_all_are_nothing_to_learn_from() -> None:
    columns, target = mixed(60, 8)
    with pytest.raises(TrainingImpossible, match="rows"):
        fitted(SPEC, columns, target, [[], []])
