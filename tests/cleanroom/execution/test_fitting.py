"""Trainings on joined rows, on shares: against the plan's twin and scikit-learn's pooled fit."""

from pathlib import Path

import cancer
import duckdb
import numpy as np
import pandas as pd
import pytest
import rooms
from in_memory import run_on_shares
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database
from cleanroom.sql.fitting import statement
from protocols.simulate import Transcript


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Database]:
    folder = tmp_path_factory.mktemp("cancer")
    return opened(folder, cancer.frames())


def opened(folder: Path, frames: dict[str, pd.DataFrame]) -> dict[str, Database]:
    paths: dict[str, dict[str, Path]] = {owner: {} for owner in cancer.OWNERS}
    for table, frame in frames.items():
        path = folder / f"{table}.csv"
        frame.to_csv(path, index=False)
        paths[table.partition(".")[0]][table] = path
    return {owner: Database(cancer.terms(), owner, paths[owner]) for owner in cancer.OWNERS}


def both(text: str, patients: dict[str, Database]) -> tuple[pd.Series, pd.Series]:
    """Return the coefficients that shares and the twin give."""
    plan = compile_query(text, cancer.terms(), "0" * 64, "analyst")
    outcomes = run_on_shares(plan, patients), insecure_run(plan, patients)
    frames = (finish(plan, outcome.columns).to_pandas() for outcome in outcomes)
    shares, twin = (frame.set_index("feature")["coefficient"] for frame in frames)
    return shares, twin


def test_logistic_regression_is_that_of_the_pooled_rows(patients: dict[str, Database]) -> None:
    shares, twin = both(statement(cancer.SQL, "benign", "logistic", 60, 1), patients)
    model, scaler = cancer.pooled_fit()
    slopes = shares[cancer.FEATURES] * scaler.scale_
    np.testing.assert_allclose(slopes, twin[cancer.FEATURES] * scaler.scale_, atol=3e-3)
    np.testing.assert_allclose(slopes, model.coef_[0], atol=1e-2)
    rows = cancer.joined()
    mine = roc_auc_score(rows["benign"], rows[cancer.FEATURES] @ shares[cancer.FEATURES])
    theirs = model.decision_function(scaler.transform(rows[cancer.FEATURES].to_numpy()))
    assert abs(mine - roc_auc_score(rows["benign"], theirs)) < 1e-4
    at_mean = shares["intercept"] + shares[cancer.FEATURES] @ scaler.mean_
    assert abs(at_mean - model.intercept_[0]) < 1e-2


def test_other_columns_joins_and_filters(patients: dict[str, Database]) -> None:
    rows = (
        "SELECT c.radius, l.points, r.stage, c.texture > 20 AS rough, r.benign, c.area "
        "FROM clinic.sizes c JOIN registry.outcomes r ON r.pid = c.id "
        "LEFT JOIN (SELECT patient, COALESCE(points, 0) AS points FROM lab.shapes) l "
        "ON l.patient = c.id WHERE c.radius < 20 AND l.points IS NOT NULL"
    )
    shares, twin = both(statement(rows, "area", "linear", 15, 0.5), patients)
    assert list(shares.index) == [
        "intercept",
        "radius",
        "points",
        "stage=ii",
        "stage=unknown",
        "rough",
        "benign",
    ]
    np.testing.assert_allclose(shares, twin, rtol=1e-3, atol=1e-2)


MORE = {
    "several rows a person": "SELECT COALESCE(p.score, 0) AS score, c.kind = 'car' AS car, "
    "COALESCE(c.level, 0) AS level FROM alpha.people p JOIN beta.claims c ON c.pid = p.id",
    "totals of another owner": "SELECT COALESCE(p.score, 0) AS score, v.n FROM alpha.people p "
    "JOIN (SELECT pid, COUNT(*) AS n FROM beta.claims GROUP BY pid) v ON v.pid = p.id",
    "rows of several owners": "SELECT COALESCE(p.score, 0) AS score, t.amt FROM alpha.people p "
    "JOIN transactions t ON t.cust = p.id",
    "rows without a match": "SELECT COALESCE(p.score, 0) AS score, COALESCE(m.points, 0) AS points "
    "FROM alpha.people p LEFT JOIN gamma.members m ON m.mid = p.id WHERE p.score IS NOT NULL",
}


@pytest.mark.parametrize("title", MORE)
def test_rows_are_those_of_the_query(
    title: str, databases: dict[str, Database], pooled: duckdb.DuckDBPyConnection
) -> None:
    text = statement(MORE[title], "score", "linear", 15, 1)
    plan = compile_query(text, rooms.terms(3), "0" * 64, "analyst")
    found = finish(plan, run_on_shares(plan, databases).columns).to_pandas()
    rows = pooled.sql(MORE[title]).df().astype(float)
    features = rows.drop(columns="score")
    scaler = StandardScaler().fit(features)
    model = Ridge(alpha=1).fit(scaler.transform(features), rows["score"])
    slopes = found["coefficient"].to_numpy()[1:] * scaler.scale_
    np.testing.assert_allclose(slopes, model.coef_, atol=0.01)


def test_too_few_persons_open_nothing(patients: dict[str, Database], tmp_path: Path) -> None:
    few = cancer.frames()
    few["lab.shapes"] = few["lab.shapes"].head(9)
    text = statement(cancer.SQL, "benign", "logistic", 2, 1)
    plan = compile_query(text, cancer.terms(), "0" * 64, "analyst")
    found = run_on_shares(plan, opened(tmp_path, few))
    assert (found.n, found.suppressed) == (0, 1)
    assert insecure_run(plan, opened(tmp_path, few)).n == 0
    assert run_on_shares(plan, patients).n == 1


def test_what_is_sent_depends_on_sizes_alone(patients: dict[str, Database], tmp_path: Path) -> None:
    other = cancer.frames()
    other["lab.shapes"]["points"] = 0.3
    other["registry.outcomes"]["benign"] ^= True
    text = statement(cancer.SQL, "benign", "logistic", 3, 1)
    plan = compile_query(text, cancer.terms(), "0" * 64, "analyst")
    first, second = Transcript(), Transcript()
    run_on_shares(plan, patients, first)
    run_on_shares(plan, opened(tmp_path, other), second)
    fit = [[send for send in sent if "/fit/" in send[2]] for sent in first.rounds]
    assert fit == [[send for send in sent if "/fit/" in send[2]] for sent in second.rounds]
    assert sum(map(bool, fit)) == 3 + 121 + 3 * 18
