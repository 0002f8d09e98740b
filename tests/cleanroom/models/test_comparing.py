"""Arms compared: owners alone, federated, pooled; with intervals that a textbook gives."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer, make_regression

from cleanroom.errors import ConfigInvalid
from cleanroom.learning import linear, logistic, networks, trees
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.private.kinds import LogisticSpec
from cleanroom.learning.private.spec import DpSpec
from cleanroom.models.comparing import compare

ARMS = ["north alone", "south alone", "west alone", "federated", "pooled"]


def split(x: Floats, y: Floats, target: Column) -> tuple[Facts, dict[str, Rows]]:
    """Give a small owner 40 rows, and the others as many as the rest."""
    bounds = [(float(v.min()), float(v.max())) for v in x.T]
    features = tuple(Column(f"x{i}", "number", *ends) for i, ends in enumerate(bounds))
    parts = np.split(np.arange(len(y)), [40, 40 + (len(y) - 40) // 2])
    owned = {
        name: Rows({f"x{i}": x[part, i] for i in range(x.shape[1])}, y[part].astype(float))
        for name, part in zip(("north", "south", "west"), parts, strict=True)
    }
    return Facts(features, target, 3, len(y)), owned


@pytest.fixture(scope="module")
def cancer() -> tuple[Facts, dict[str, Rows]]:
    x, y = load_breast_cancer(return_X_y=True)
    return split(x[:, :8], y, Column("y", "number", 0, 1))


def test_federated_trees_are_worth_what_pooled_ones_are(cancer) -> None:
    facts, owned = cancer
    compared = compare(
        trees.Spec(trees=10, max_depth=3, max_bins=16), facts, owned, seeds=(1, 2, 3)
    )
    table = compared.table().set_index("arm")
    assert list(table.index) == ARMS
    assert table.loc["federated"].tolist() == table.loc["pooled"].tolist()
    assert table.loc["federated", "auc"] > table.loc["north alone", "auc"]
    assert table.loc["pooled", "rows"] == table["rows"].iloc[:3].sum()
    mine = compared.scores.query("arm == 'federated'")["auc"]
    ends = stats.t.interval(0.95, 2, mine.mean(), stats.sem(mine))
    np.testing.assert_allclose(table.loc["federated", ["low", "high"]].tolist(), ends)


def test_an_arm_whose_rows_determine_nothing_is_empty(cancer) -> None:
    facts, owned = cancer
    few = Rows({n: v[:5] for n, v in owned["north"].features.items()}, np.zeros(5))
    compared = compare(logistic.Spec(l2=1.0), facts, {**owned, "north": few}, seeds=(1,))
    scores = compared.scores.set_index("arm")["auc"]
    assert np.isnan(scores["north alone"]) or scores["north alone"] <= 1
    assert abs(scores["federated"] - scores["pooled"]) < 1e-9
    assert np.isnan(compared.table()["low"]).all()


def test_a_number_is_compared_by_r2() -> None:
    x, y = make_regression(240, 4, noise=20, random_state=6)
    facts, owned = split(x, y, Column("y", "number", -1000, 1000))
    compared = compare(linear.Spec(), facts, owned, seeds=(1, 2))
    scores = compared.scores.pivot_table(index="seed", columns="arm", values="r2")
    np.testing.assert_allclose(scores["federated"], scores["pooled"], rtol=1e-6)
    assert compared.measures == ("r2",)


def test_a_private_model_is_compared_with_noise_in_every_arm(cancer) -> None:
    facts, owned = cancer
    spec = LogisticSpec(dp=DpSpec(epsilon=20.0, delta=1e-6, clip=1.5), rounds=10)
    table = compare(spec, facts, owned, seeds=(1,)).table().set_index("arm")
    assert not table["auc"].isna().any()
    assert table.loc["federated", "auc"] > 0.9
    assert table.loc["pooled", "auc"] > 0.9


def test_networks_begin_with_the_seed(cancer) -> None:
    facts, owned = cancer
    spec = networks.Spec(hidden=(4,), rounds=2)
    first, again = (compare(spec, facts, owned, seeds=(7,)).scores for _ in range(2))
    assert first.equals(again)


def test_the_plot_is_a_png_or_names_what_is_missing(
    cancer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = compare(logistic.Spec(l2=1.0), *cancer, seeds=(1, 2))
    compared.plot(tmp_path / "arms.png")
    assert (tmp_path / "arms.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigInvalid, match="cannot write"):
        compared.plot(tmp_path / "nowhere" / "arms.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigInvalid, match=r"\[plots\]"):
        compared.plot(tmp_path / "arms.png")


def test_what_cant_be_compared_is_said_at_once(cancer) -> None:
    facts, owned = cancer
    with pytest.raises(ConfigInvalid, match="seeds"):
        compare(logistic.Spec(), facts, owned, seeds=())
    without = Facts(facts.features, None, 3, facts.max_rows)
    with pytest.raises(TrainingImpossible, match="target"):
        compare(logistic.Spec(), without, owned)


def test_a_person_is_held_out_at_all_owners_or_at_none() -> None:
    dice = np.random.default_rng(5)
    x, persons = dice.normal(size=400).clip(-9, 9), np.tile(np.arange(100), 4)
    y = (x + dice.normal(size=400) > 0).astype(float)
    owned = {
        name: Rows({"x": x[part]}, y[part], persons=persons[part], place=i)
        for i, (name, part) in enumerate({"a": slice(0, 200), "b": slice(200, 400)}.items())
    }
    facts = Facts((Column("x", "number", -9, 9),), Column("y", "number", 0, 1), 2, 200)
    scores = compare(logistic.Spec(), facts, owned, seeds=(1, 2, 3, 4)).scores
    pooled = scores[scores["arm"] == "pooled"]["rows"]
    assert all(rows % 4 == 0 for rows in pooled)
    assert 240 < pooled.mean() < 320
    assert pooled.nunique() > 1
