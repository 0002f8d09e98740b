"""The same answers from the pooled rows, which no party of the room ever has: INSECURE.

Rule: nothing of the product; DuckDB and scikit-learn as anybody would use them on one table.
"""

import math
from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pandas as pd


def answer(
    tables: Mapping[str, Any], sql: str, private: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Answer a query as if one party had all rows."""
    pooled = duckdb.connect()
    pooled.execute("CREATE SCHEMA paper")
    pooled.register("given_readers", tables["paper.readers"])
    pooled.register("given_customers", pd.concat(tables["customers"].values()))
    pooled.execute("CREATE TABLE paper.readers AS FROM given_readers")
    pooled.execute("CREATE TABLE customers AS FROM given_customers")
    found: pd.DataFrame = pooled.execute(sql, dict(private or {})).df()
    return found


def same(got: pd.DataFrame, expected: pd.DataFrame) -> bool:
    """Compare two results cell by cell, floating point to its last digits."""
    if list(got.columns) != list(expected.columns) or len(got) != len(expected):
        return False
    pairs = zip(got.to_numpy().ravel(), expected.to_numpy().ravel(), strict=True)
    return all(
        math.isclose(a, b, rel_tol=1e-12) if isinstance(a, float) else a == b for a, b in pairs
    )


def probabilities(
    tables: Mapping[str, Any], features: list[str], target: str, l2: float
) -> np.ndarray:
    """Fit a logistic regression on the pooled rows, and return what it says of each of them."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    everybody = pd.concat(tables["customers"].values())
    scaled = StandardScaler().fit_transform(everybody[features])
    fit = LogisticRegression(C=1 / l2, tol=1e-12, solver="newton-cholesky")
    said: np.ndarray = fit.fit(scaled, everybody[target]).predict_proba(scaled)[:, 1]
    return said
