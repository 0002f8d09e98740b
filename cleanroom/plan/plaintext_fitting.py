"""INSECURE: a regression over plain rows, in floating point."""

import numpy as np

from cleanroom.plan.grouping import Fit, Scaled
from cleanroom.plan.plaintext_rows import Row, number
from protocols.plaintext.regression import Floats, fit_linear, fit_logistic
from protocols.rep3.regression import BITS, Descent
from protocols.rep3.sigmoid import STRETCH_OVER, STRETCH_UNDER


def fitted(fit: Fit, rows: list[Row]) -> Row:
    """Return the fit's results over all rows; zeros without any."""
    if not rows:
        return dict.fromkeys(fit.results, 0)
    descent = Descent(fit.iterations, fit.l2, fit.least_rows)
    there = np.ones(len(rows), dtype=np.bool_)
    table = np.vstack([there, *(_scaled(one, rows) for one in fit.features)])
    if fit.kind == "logistic":
        target = np.array([number(row[fit.target.column]) for row in rows], dtype=np.float64)
        found = fit_logistic(there, table, target, descent) * STRETCH_OVER / STRETCH_UNDER
    else:
        found = fit_linear(there, np.vstack([table, _scaled(fit.target, rows)]), descent)
    return {name: round(v * 2**BITS) for name, v in zip(fit.results, found.tolist(), strict=True)}


def _scaled(one: Scaled, rows: list[Row]) -> Floats:
    half = 2.0 ** (one.bits - 1)
    values = np.array([number(row[one.column]) - one.low for row in rows], dtype=np.float64)
    scaled: Floats = values / half - 1
    return scaled
