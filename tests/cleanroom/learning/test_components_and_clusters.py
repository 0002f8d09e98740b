"""Principal components and clusters over several owners, against the same on pooled rows."""

from dataclasses import replace

import numpy as np
import pytest
from hospitals import matrix, numbered, shares, trained
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA

from cleanroom.errors import ModelMismatch
from cleanroom.learning import kmeans, pca, pooled
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.layout import Preparing
from cleanroom.learning.step import Step, Sums

X = load_breast_cancer().data[:, :7]
FACTS = numbered(X, None)
ROWS = shares(matrix(X), None)


@pytest.mark.parametrize("standardise", [True, False])
def test_components_are_those_of_pooled_rows(standardise: bool) -> None:
    spec = pca.Spec(components=3, prepare=Preparing(standardise=standardise))
    model = trained(spec, FACTS, ROWS)
    z = (X - X.mean(0)) / (X.std(0) if standardise else 1.0)
    fit = PCA(3).fit(z)
    signs = np.sign((model.loadings * fit.components_).sum(axis=1))
    np.testing.assert_allclose(
        model.loadings, fit.components_ * signs[:, None], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(model.variances, fit.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(model.explained, fit.explained_variance_ratio_, rtol=1e-6)
    placed = fit.transform(z) * signs
    np.testing.assert_allclose(model.predict(matrix(X)), placed, rtol=1e-6, atol=1e-6)
    same = model_from_json(model.to_json())
    assert same.predict(matrix(X)).tolist() == model.predict(matrix(X)).tolist()


def recorded(spec: pca.Spec | kmeans.Spec, facts: Facts, rows: list[Rows]) -> list[Step]:
    steps = []

    def add_up(step: Step, answers: list[Sums]) -> Sums:
        steps.append(step)
        return pooled.summed(step, answers)

    trained(spec, facts, rows, add_up)
    return steps


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("start", [0, 1])
def test_clusters_are_those_of_pooled_rows(start: int, standardise: bool) -> None:
    spec = kmeans.Spec(clusters=4, start=start, least=1, prepare=Preparing(standardise=standardise))
    model = trained(spec, FACTS, ROWS)
    z = (X - X.mean(0)) / (X.std(0) if standardise else 1.0)
    first = kmeans.first_centres(spec, np.cov(z.T))
    fit = KMeans(4, init=first, n_init=1, tol=0, max_iter=500, algorithm="lloyd").fit(z)
    assert model.predict(matrix(X)).tolist() == fit.labels_.tolist()
    assert model.inertia == pytest.approx(fit.inertia_, rel=1e-6)
    raw = np.array([model.centres[f"x{i}"] for i in range(X.shape[1])]).T
    for cluster in range(4):
        np.testing.assert_allclose(raw[cluster], X[fit.labels_ == cluster].mean(0), rtol=1e-6)
    assert model.counts.tolist() == np.bincount(fit.labels_, minlength=4).tolist()
    same = model_from_json(model.to_json())
    assert same.predict(matrix(X)).tolist() == fit.labels_.tolist()


def test_a_cluster_that_an_owner_has_few_rows_in_is_left_out_of_its_sums() -> None:
    x = np.array([[0.0], [0.1], [0.2], [9.9], [10.0]])
    facts = Facts((Column("x0", "number", 0.0, 10.0),), None, 1, 10)
    spec = kmeans.Spec(clusters=2, least=3)
    owner = kmeans.owner(spec, facts, Rows(matrix(x), None))
    steps = []
    pooled.run(
        kmeans.train(spec, facts),
        [owner],
        lambda step, answers: steps.append((step, answers)) or pooled.summed(step, answers),
    )
    last, (answer,) = steps[-1]
    assert last.name == "kmeans.assign"
    assert sorted(answer["counts"].tolist()) == [0.0, 3.0]
    assert np.count_nonzero(answer["sums"]) == 1


def test_a_centre_without_rows_moves_to_where_rows_are() -> None:
    x = np.concatenate([np.zeros(50), np.ones(50) * 10, np.ones(50) * 11])[:, None]
    for start in range(4):
        model = trained(
            kmeans.Spec(clusters=3, start=start), numbered(x, None), shares(matrix(x), None)
        )
        assert (model.counts > 0).all()


def test_rows_without_components_or_clusters_are_refused() -> None:
    same = np.ones((30, 2))
    with pytest.raises(TrainingImpossible, match="all the same"):
        trained(kmeans.Spec(), numbered(same, None), shares(matrix(same), None))
    with pytest.raises(TrainingImpossible, match="31 clusters of 30 rows"):
        trained(kmeans.Spec(clusters=31), FACTS, shares(matrix(X[:30]), None))
    with pytest.raises(TrainingImpossible, match="8 components of 7 columns"):
        trained(pca.Spec(components=8), FACTS, ROWS)
    for text in ('{"kind":"pca"}', '{"kind":"kmeans","preparation":{}}'):
        with pytest.raises(ModelMismatch):
            model_from_json(text)


def test_owners_refuse_steps_that_are_not_the_trainings() -> None:
    spec = kmeans.Spec(max_rounds=3)
    count, _, products, assign, *_ = recorded(spec, FACTS, ROWS)

    def refused(fault: str, *steps: Step) -> None:
        owner = kmeans.owner(spec, FACTS, ROWS[1])
        for step in steps[:-1]:
            owner.answer(step)
        with pytest.raises(StepRefused, match=fault):
            owner.answer(steps[-1])

    def spoilt(**numbers: Floats) -> Step:
        return replace(assign, numbers={**assign.numbers, **numbers})

    refused("columns.products after", assign, products)
    refused("more than 3", *[assign] * 4)
    refused("not of shape", spoilt(clusters=np.zeros((2, 7))))
    refused("isn't finite", spoilt(clusters=np.full((3, 7), np.inf)))
    refused("another bound", spoilt(clusters=np.full((3, 7), 9.0)))
    refused("other means", products, spoilt(centres=assign.numbers["centres"] + 1e-9))
    refused("scales far below", spoilt(scales=assign.numbers["scales"] / 2))
    refused("a name", replace(count, name="rows"))


def test_clusters_go_on_from_a_checkpoint() -> None:
    spec = kmeans.Spec(clusters=4)
    steps = recorded(spec, FACTS, ROWS)
    owners = [kmeans.owner(spec, FACTS, own) for own in ROWS]
    again = pooled.run(kmeans.train(spec, FACTS, steps[6].checkpoint), owners)
    whole = trained(spec, FACTS, ROWS, pooled.summed)
    np.testing.assert_allclose(again.clusters, whole.clusters, rtol=1e-9, atol=1e-9)


def test_models_tell_how_well_they_fit() -> None:
    components = trained(pca.Spec(components=7), FACTS, ROWS)
    assert components.figures["explained"] == pytest.approx(1.0)
    clusters = trained(kmeans.Spec(), FACTS, ROWS)
    assert clusters.figures == {"inertia": clusters.inertia}
