"""The standard errors that a noisy result tells, against those of many noisy results."""

import math

import noisy
import numpy as np
import pytest

from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.recipient.privacy import finished

SQL = (
    "SELECT paid, COUNT(*) AS n, AVG(amount) AS mean, STDDEV(amount) AS spread, "
    "SUM(amount) / 2 + COUNT(*) AS mixed FROM claims GROUP BY paid ORDER BY paid"
)
DRAWS = 2000


def opened(plan, deviations, rows: int = 2):  # type: ignore[no-untyped-def]
    """Return what is opened of two groups of many rows, whose totals are off by so much."""
    keys = np.arange(rows, dtype=np.uint64) % 2
    exact = {"COUNT": 5000, "SUM(claims.amount)": 250_000_00}
    columns = {f"{plan.root.input.cells[0].name}_0": keys}
    for column in plan.opened[1:]:
        squares = 5000 * 3300_0000 if "*" in column.meaning else 0
        known = next((v for k, v in exact.items() if column.meaning.startswith(k)), squares)
        value = known if "COUNT" in column.meaning or not squares else squares
        columns[column.name] = np.full(rows, value) + deviations[column.name]
    return columns


def test_errors_of_computed_columns_are_those_of_many_results() -> None:
    plan = compile_query(SQL, noisy.terms(), "h", "analyst", epsilon=2.0)
    dice = np.random.default_rng(5)
    names = [column.name for column in plan.opened[1:]]
    none = dict.fromkeys(names, 0)
    _, errors = finished(plan, lambda one: finish(one, opened(plan, none)))
    rows = 2 * DRAWS
    off = {n: np.rint(dice.normal(0, plan.noise.deviation(n), rows)).astype(int) for n in names}
    drawn = finish(plan, opened(plan, off, rows)).to_pandas()
    assert errors["n"] == plan.noise.deviation("d0")
    for name in ("mean", "spread", "mixed"):
        seen = drawn[name].astype(float).groupby(drawn.paid).std().to_numpy()
        assert np.allclose(errors[name], seen, rtol=0.15)


def test_a_text_has_no_error_and_no_number_is_lost_for_it() -> None:
    size = "CASE WHEN COUNT(*) > 10 THEN 'many' ELSE 'few' END AS size"
    sql = f"SELECT {size}, COUNT(*) AS n FROM claims"
    plan = compile_query(sql, noisy.terms(), "h", "analyst")
    table, errors = finished(plan, lambda one: finish(one, {"d0": np.array([50])}))
    assert table.column_names == ["size", "n"]
    assert errors["size"] is None
    assert errors["n"] == plan.noise.deviation("d0")


OF_FEW = (
    "SELECT AVG(amount) AS mean, VAR_POP(amount) AS var, STDDEV(amount) AS spread, "
    "CORR(amount, level) AS corr, COVAR_POP(amount, level) AS covar, COALESCE(AVG(amount), 0) AS "
    "filled, SUM(amount) / COUNT(*) AS ratio, COUNT(*) + AVG(amount) AS mixed FROM claims"
)


@pytest.mark.parametrize("n", [-3.0, 0.0, 1.9])
@pytest.mark.parametrize("of_others", [-40.0, 0.0, 40.0])
def test_what_noise_may_have_made_up_has_an_infinite_error(n: float, of_others: float) -> None:
    """Counts are so many of their own errors, and the sums so many of theirs."""
    plan = compile_query(OF_FEW, noisy.terms(), "h", "analyst", epsilon=0.1)
    off = {column.name: plan.noise.deviation(column.name) for column in plan.opened}
    times = {c.name: n if c.meaning.startswith("COUNT(") else of_others for c in plan.opened}
    columns = {name: np.array([int(times[name] * off[name])]) for name in off}
    _, errors = finished(plan, lambda one: finish(one, columns))
    assert set(errors.values()) == {(math.inf,)}


@pytest.mark.parametrize(
    ("total", "wanted"), [(-100_00, None), (50 * 5000_00, 1.0), (101 * 5000_00, None)]
)
def test_an_average_at_its_bound_has_an_infinite_error(total: int, wanted: float | None) -> None:
    """Between its bounds it has that of the quotient: root(se_sum^2 + avg^2 se_n^2) / n."""
    sql = "SELECT AVG(amount) AS mean, ROUND(COUNT(*), -9) AS steps FROM claims"
    plan = compile_query(sql, noisy.terms(), "h", "analyst", epsilon=2.0)
    names = {c.meaning.partition("(")[0]: c.name for c in plan.opened}
    columns = {names["COUNT"]: np.array([5000]), names["SUM"]: np.array([total])}
    _, errors = finished(plan, lambda one: finish(one, columns))
    assert errors["steps"] == (math.inf,)
    if wanted is None:
        assert errors["mean"] == (math.inf,)
        return
    se_n, se_sum = plan.noise.deviation(names["COUNT"]), plan.noise.deviation(names["SUM"]) / 100
    assert errors["mean"] == pytest.approx((math.hypot(se_sum, 50 * se_n) / 5000,), rel=0.01)


@pytest.mark.parametrize(("mean", "least"), [(99.99, 0.05), (0.01, 0.05)])
def test_a_bound_close_by_makes_no_error_smaller(mean: float, least: float) -> None:
    plan = compile_query("SELECT AVG(amount) AS m FROM claims", noisy.terms(), "h", "analyst")
    names = {c.meaning.partition("(")[0]: c.name for c in plan.opened}
    columns = {names["COUNT"]: np.array([1000]), names["SUM"]: np.array([int(mean * 1000_00)])}
    _, errors = finished(plan, lambda one: finish(one, columns))
    assert least < errors["m"][0] < 100
