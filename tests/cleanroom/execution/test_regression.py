"""Regressions over golden rows give what NumPy's least squares give on the pooled rows."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import rooms
from in_memory import run_on_ciphertexts, run_on_shares

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.plan.plan import Protocol
from cleanroom.plan.withheld import Withheld
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.recipient.answers import Answer, Stats
from cleanroom.recipient.regression import Model, Regression
from cleanroom.recipient.result import Result
from cleanroom.session.receipt import Receipt
from cleanroom.sources.database import Database

CASES = {
    "transactions": ("amt", ["cust", "other", "channel"], "amt > -100"),
    "alpha.people": ("income", ["score", "active", "state"], None),
    "gamma.members": ("points", ["rate", "mid"], "rate < 9 OR mid > 20"),
    "beta.claims": ("level", ["amount", "kind"], None),
}


def result(table: pa.Table) -> Result:
    return Result(Answer(table, Withheld(), Receipt(()), Stats(0, 0, 0, table.num_rows)))


def fitted(
    model: Model, where: str | None, databases: Mapping[str, Database], protocol: Protocol
) -> Regression:
    plan = compile_query(model.sql(where), rooms.terms(), "0" * 64, "analyst", protocol)
    run = run_on_shares if protocol == "mpc" else run_on_ciphertexts
    return model.fitted(result(finish(plan, run(plan, databases).columns)))


def design(table: str, features: list[str], target: str, where: str | None, pooled: Any) -> Any:
    """Return X, y of the pooled rows without NULL, and the names of X's columns."""
    declared = rooms.terms().tables[table].columns
    known = " AND ".join(f"{name} IS NOT NULL" for name in (*features, target))
    rows = pooled.sql(f"SELECT * FROM {table} WHERE {known} AND ({where or 'true'})").df()
    columns, names = [np.ones(len(rows))], ["intercept"]
    for name in features:
        if declared[name].values is None:
            columns.append(rows[name].astype(float).to_numpy())
            names.append(name)
            continue
        for value in declared[name].values[1:]:
            columns.append((rows[name] == value).astype(float).to_numpy())
            names.append(f"{name}={value}")
    return np.column_stack(columns), rows[target].astype(float).to_numpy(), names


@pytest.mark.parametrize("protocol", ["he", "mpc"])
@pytest.mark.parametrize("table", CASES)
def test_the_fit_is_that_of_the_pooled_rows(
    table: str,
    protocol: Protocol,
    databases: Mapping[str, Database],
    pooled: duckdb.DuckDBPyConnection,
) -> None:
    target, features, where = CASES[table]
    found = fitted(Model.of(rooms.terms(), table, target, features), where, databases, protocol)
    x, y, names = design(table, features, target, where, pooled)
    wanted, residual, *_ = np.linalg.lstsq(x, y, rcond=None)
    spread = np.sqrt(residual[0] / (len(y) - x.shape[1]) * np.diag(np.linalg.inv(x.T @ x)))
    frame = found.to_pandas()
    assert list(frame.index) == names
    np.testing.assert_allclose(frame["coefficient"], wanted, rtol=1e-9)
    np.testing.assert_allclose(frame["standard_error"], spread, rtol=1e-9)
    np.testing.assert_allclose(frame["t"], wanted / spread, rtol=1e-9)
    assert found.r_squared == pytest.approx(1 - residual[0] / ((y - y.mean()) ** 2).sum())
    assert found.rows == len(y)


def test_nearly_dependent_features_lose_no_digit() -> None:
    """In floating point X'X of these is singular: their difference is 1 in a square of 10^18."""
    model = Model.of(wide(), "transactions", "other", ["cust", "amt"])
    x = [(10**9 + i, 10**9 + i + (i == 3)) for i in range(6)]
    y = [2 * a - 5 * b for a, b in x]
    found = model.fitted(result(sums(model, [(*pair, z) for pair, z in zip(x, y, strict=True)])))
    assert found.coefficients == {"intercept": 0, "cust": 2, "amt": -5}
    assert found.r_squared == 1
    assert set(found.t.values()) == {math.inf, -math.inf} | {found.t["intercept"]}
    assert math.isnan(found.t["intercept"])


def wide() -> Terms:
    room = rooms.room()
    columns = room["tables"]["transactions"]["columns"]
    for name in ("cust", "amt", "other"):
        columns[name] = {"type": "INTEGER", "bounds": [0, 2 * 10**9]}
    return Terms.of(room)


def sums(model: Model, rows: list[tuple[int, ...]]) -> pa.Table:
    """Answer the model's query for rows of whole numbers."""
    shifted = [
        [v - one.middle for v, one in zip(row, model.columns, strict=True)] for row in rows
    ]
    k = len(model.columns)
    numbers = [len(rows), *(sum(row[i] for row in shifted) for i in range(k))]
    numbers += [sum(row[i] * row[j] for row in shifted) for i in range(k) for j in range(i, k)]
    kind = pa.decimal128(38, 0)
    return pa.table([pa.array([Fraction(n).numerator], kind) for n in numbers], _names(numbers))


def _names(numbers: list[int]) -> list[str]:
    return [f"c{i}" for i in range(len(numbers))]


def test_a_fit_without_a_degree_of_freedom_has_no_errors() -> None:
    model = Model.of(wide(), "transactions", "other", ["cust"])
    found = model.fitted(result(sums(model, [(1, 5), (3, 9)])))
    assert found.coefficients == {"intercept": 3, "cust": 2}
    assert all(math.isnan(error) for error in found.standard_errors.values())
    assert all(math.isnan(t) for t in found.t.values())


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(1, 5)], "2 coefficients on 1 rows"),
        ([(4, 5), (4, 6), (4, 7)], "depend on each other"),
    ],
)
def test_rows_without_one_solution_are_refused(rows: list[tuple[int, int]], says: str) -> None:
    model = Model.of(wide(), "transactions", "other", ["cust"])
    with pytest.raises(UnsupportedQuery, match=says) as caught:
        model.fitted(result(sums(model, rows)))
    assert caught.value.remedy


def test_withheld_sums_are_said_to_be() -> None:
    model = Model.of(wide(), "transactions", "other", ["cust"])
    with pytest.raises(UnsupportedQuery, match="too few persons"):
        model.fitted(result(sums(model, [(1, 5)]).slice(0, 0)))


@pytest.mark.parametrize(
    ("target", "features", "says"),
    [
        ("amt", ["booked"], "booked, a TIMESTAMP"),
        ("channel", ["amt"], "a regression of channel, which is no number"),
        ("amt", ["amt"], "twice"),
        ("amt", [], "0 features"),
        ("amt", "cust", "a list of columns"),
        ("amt", ["age"], "no column 'age'"),
    ],
)
def test_what_is_no_regression_is_refused_by_name(
    target: str, features: list[str], says: str
) -> None:
    with pytest.raises((UnsupportedQuery, UnknownName), match=says):
        Model.of(rooms.terms(), "transactions", target, features)
