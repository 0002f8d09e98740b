"""The standard errors that a noisy result tells, against those of many noisy results."""

import noisy
import numpy as np

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
