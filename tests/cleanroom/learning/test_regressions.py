"""Regressions over several owners, in fixed point, against fits of the pooled rows."""

from pathlib import Path

import numpy as np
import pytest
from hospitals import matrix, number, numbered, shares, trained
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from cleanroom.learning import linear, logistic, poisson
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.families import model_from_json
from cleanroom.learning.layout import Preparing
from cleanroom.learning.linear_model import LinearModel

SAME = {"rtol": 1e-6, "atol": 0}
HEART = Path(__file__).parents[4] / "shared/data/health/heart"
CITIES = "cleveland", "hungarian", "switzerland"
BINARY = Column("y", "number", 0.0, 1.0)


def cancer(columns: int = 8) -> tuple[Floats, Floats]:
    data = load_breast_cancer()
    return data.data[:, :columns], data.target.astype(float)


def values(model: LinearModel) -> list[float]:
    return [line.value for line in model.table()]


def test_a_logistic_regression_is_the_pooled_one() -> None:
    x, y = cancer()
    model = trained(logistic.Spec(), numbered(x, BINARY), shares(matrix(x), y))
    z = np.column_stack([np.ones(len(x)), (x - x.mean(0)) / x.std(0)])
    fit = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(z[:, 1:], y)
    np.testing.assert_allclose(model.beta, np.append(fit.intercept_, fit.coef_[0]), **SAME)
    p = fit.predict_proba(z[:, 1:])[:, 1]
    covariance = np.linalg.inv((z * (p * (1 - p))[:, None]).T @ z)
    np.testing.assert_allclose(model.covariance, covariance, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict(matrix(x)), p, rtol=1e-6, atol=1e-12)
    likelihood = np.log(np.where(y == 1, p, 1 - p)).sum()
    assert model.deviance == pytest.approx(-2 * likelihood, rel=1e-9)
    share = y.mean()
    null = share * np.log(share) + (1 - share) * np.log(1 - share)
    assert model.null_deviance == pytest.approx(-2 * len(y) * null, rel=1e-9)


@pytest.mark.parametrize("standardise", [True, False])
def test_a_penalty_counts_in_the_chosen_units(standardise: bool) -> None:
    x, y = cancer(20)
    x = x[:, [0, 1, 5, 11]]
    spec = logistic.Spec(l2=0.5, prepare=Preparing(standardise=standardise))
    model = trained(spec, numbered(x, BINARY), shares(matrix(x), y))
    z = (x - x.mean(0)) / x.std(0) if standardise else x
    fit = LogisticRegression(C=2.0, tol=1e-12, solver="newton-cholesky").fit(z, y)
    np.testing.assert_allclose(model.predict(matrix(x)), fit.predict_proba(z)[:, 1], rtol=1e-6)
    assert np.isnan(model.table()[1].standard_error)


def test_a_linear_regression_is_the_pooled_one() -> None:
    x, _ = cancer(6)
    rng = np.random.default_rng(1)
    y = 1e4 + x @ rng.normal(size=6) + rng.normal(size=len(x))
    model = trained(linear.Spec(), numbered(x, number("y", y)), shares(matrix(x), y))
    ones = np.column_stack([np.ones(len(x)), x])
    found, *_ = np.linalg.lstsq(ones, y, rcond=None)
    np.testing.assert_allclose(values(model), found, **SAME)
    residual = y - ones @ found
    variance = residual @ residual / (len(y) - 7)
    errors = np.sqrt(np.diag(np.linalg.inv(ones.T @ ones)) * variance)
    np.testing.assert_allclose([c.standard_error for c in model.table()], errors, **SAME)
    assert model.figures["loss"] == pytest.approx(residual @ residual / y.var() / len(y) / 2)
    assert model.explained == pytest.approx(1 - residual @ residual / len(y) / y.var(), rel=1e-9)
    half = [(line.high - line.value) / line.standard_error for line in model.table()]
    np.testing.assert_allclose(half, stats.t.ppf(0.975, len(y) - 7), **SAME)
    fit = Ridge(alpha=3.0).fit((x - x.mean(0)) / x.std(0), y)
    ridge = trained(linear.Spec(l2=3.0), numbered(x, number("y", y)), shares(matrix(x), y))
    np.testing.assert_allclose(ridge.beta[1:] * ridge.scale, fit.coef_, **SAME)


def test_a_poisson_regression_is_the_pooled_one() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(900, 4)) * [1, 10, 0.1, 5] + [0, 50, 0, -7]
    y = rng.poisson(np.exp(0.3 + x @ [0.4, 0.03, -3.0, 0.0])).astype(float)
    target = Column("y", "number", 0.0, 500.0)
    model = trained(poisson.Spec(), numbered(x, target), shares(matrix(x), y))
    z = (x - x.mean(0)) / x.std(0)
    fit = PoissonRegressor(alpha=0, tol=1e-12, solver="newton-cholesky").fit(z, y)
    np.testing.assert_allclose(model.beta, np.append(fit.intercept_, fit.coef_), **SAME)
    mean = fit.predict(z)
    deviance = 2 * np.sum(np.where(y > 0, y * np.log(np.maximum(y, 1) / mean), 0) - (y - mean))
    assert model.deviance == pytest.approx(deviance, rel=1e-9)


def test_categories_and_missing_values_are_prepared_as_on_pooled_rows() -> None:
    rng = np.random.default_rng(3)
    n = 800
    age, ward = rng.normal(60, 9, n), rng.choice([0.0, 1, 3], n, p=[0.2, 0.5, 0.3])
    y = (rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 9 + (ward == 3)))).astype(float)
    age[rng.random(n) < 0.1], ward[rng.random(n) < 0.2] = np.nan, -1.0
    wards = Column("ward", "category", 0, 3, ("a", "b", "c", "d"), nullable=True)
    facts = Facts((number("age", age, nullable=True), wards), BINARY, 3, 500)
    rows = shares({"age": age, "ward": ward}, y)
    model = trained(logistic.Spec(prepare=Preparing(missing="impute")), facts, rows)
    filled = np.where(np.isnan(age), np.nanmean(age), age)
    known = np.where(ward == -1, 1.0, ward)
    x = np.column_stack([filled, known == 1, known == 3])
    z = (x - x.mean(0)) / x.std(0)
    fit = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(z, y)
    assert list(model.coefficients) == [
        "intercept",
        "age",
        "ward=b",
        "ward=d",
        "ward=a",
        "ward=c",
    ]
    np.testing.assert_allclose(model.beta[1:], fit.coef_[0], **SAME)
    text = np.array([None, "a", "b", "c", "d"], object)[ward.astype(int) + 1]
    same = model_from_json(model.to_json()).predict({"age": age, "ward": text})
    assert same.tolist() == model.predict({"age": age, "ward": ward}).tolist()
    dropped = trained(logistic.Spec(prepare=Preparing(missing="drop")), facts, rows)
    kept = ~np.isnan(age) & (ward >= 0)
    raw = np.column_stack([age, ward == 1, ward == 3])[kept]
    scaled = (raw - raw.mean(0)) / raw.std(0)
    fit = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(scaled, y[kept])
    np.testing.assert_allclose(dropped.beta[1:], fit.coef_[0], **SAME)
    told = logistic.Spec(prepare=Preparing(missing="impute", indicate_missing=True))
    assert "ward is missing" in trained(told, facts, rows).coefficients


@pytest.mark.shared_data
@pytest.mark.skipif(not HEART.exists(), reason="no shared data")
def test_hospitals_that_differ_fit_the_pooled_model() -> None:
    """Heart disease in three cities: hospital by hospital, with their own missing values."""
    tables = [np.genfromtxt(HEART / f"processed.{city}.data", delimiter=",") for city in CITIES]
    assert all(np.isnan(table).any() for table in tables[1:])
    numbers, places = ["age", "pressure", "cholesterol", "rate", "peak"], [0, 3, 4, 7, 9]
    pooled_rows = np.concatenate(tables)
    columns = [
        number(n, pooled_rows[:, at], nullable=True) for n, at in zip(numbers, places, strict=True)
    ]
    pain = Column("pain", "category", 0, 3, ("typical", "atypical", "other", "none"))
    facts = Facts((*columns, pain), BINARY, 3, 400)
    rows = [
        Rows(
            {n: table[:, at] for n, at in zip(numbers, places, strict=True)}
            | {"pain": table[:, 2] - 1},
            (table[:, 13] > 0).astype(float),
        )
        for table in tables
    ]
    prepare = Preparing(missing="impute", indicate_missing=True)
    model = trained(logistic.Spec(l2=1.0, prepare=prepare), facts, rows)
    x = pooled_rows[:, places]
    missing = np.isnan(x)
    filled = np.where(missing, np.nanmean(x, axis=0), x)
    z = (filled - filled.mean(0)) / filled.std(0)
    pains = pooled_rows[:, 2:3] == [2.0, 3.0, 4.0]
    all_ = np.column_stack([z, missing[:, missing.any(0)], pains])
    fit = LogisticRegression(tol=1e-12, solver="newton-cholesky").fit(all_, pooled_rows[:, 13] > 0)
    told = np.concatenate([model.predict(own.features) for own in rows])
    np.testing.assert_allclose(told, fit.predict_proba(all_)[:, 1], rtol=1e-6)
