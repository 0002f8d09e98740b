"""Threshold, n-k and p % rules withhold the cells that ACRO, a checker for such tables, would."""

import logging
from pathlib import Path

import cells
import numpy as np
import pandas as pd
import pytest
from in_memory import run_on_shares

from cleanroom.plan.plaintext import insecure_run
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish

RULES = {"min_group": 10, "top_two": 90, "p_percent": 10}  # what ACRO checks by default
CHECKS = ("NKCheck", "PPercentCheck", "MinimumThresholdCheck")


def table(seed: int) -> pd.DataFrame:
    """Return rows of which some groups are small, and some are one or two persons' for the most."""
    rng = np.random.default_rng(seed)
    n = 260
    group = rng.choice(16, n, p=rng.dirichlet(np.full(16, 0.8)))
    spread = rng.choice([0.5, 0.9, 3.0], 16)
    value = (rng.pareto(spread[group]) * 50).clip(1, 999_000).astype(int)
    return pd.DataFrame({"k": group, "x": value})


def by_acro(frame: pd.DataFrame) -> set[int]:
    """Return the groups of which ACRO would let a sum pass."""
    from acro import ACRO

    logging.disable(logging.CRITICAL)
    try:
        checker = ACRO(suppress=False)
        one = pd.Series(0, index=frame.index, name="c")
        checker.crosstab(frame["k"], one, values=frame["x"], aggfunc="sum")
        found = checker.results.get_index(0).sdc["cells"]
    finally:
        logging.disable(logging.NOTSET)
    failed = {row for check in CHECKS for row, _ in found.get(check, [])}
    return {key for row, key in enumerate(sorted(set(frame["k"]))) if row not in failed}


@pytest.mark.parametrize("seed", range(5))
def test_sums_pass_that_acro_passes(seed: int, tmp_path: Path) -> None:
    frame = table(seed)
    agreed = cells.terms(**RULES)
    plan = compile_query("SELECT k, SUM(x) AS s FROM alpha.t GROUP BY k", agreed, "h", "analyst")
    databases = cells.databases(tmp_path, frame, agreed)
    expected = by_acro(frame)
    assert 0 < len(expected) < frame["k"].nunique()
    for opened in (run_on_shares(plan, databases), insecure_run(plan, databases)):
        assert set(finish(plan, opened.columns).to_pydict()["k"]) == expected
        assert opened.suppressed == frame["k"].nunique() - len(expected)
