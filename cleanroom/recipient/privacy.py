"""What a result says of the privacy of those it is about: how it was released, how far it is off.

Rule: from the plan and the contract alone; the same that the sheet said before.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlglot import exp, parse_one

from cleanroom.budget.zcdp import UNITS
from cleanroom.contract.terms import Terms
from cleanroom.plan.plan import Plan
from cleanroom.plan.sheet_on_noise import error_of


def privacy_of(plan: Plan, terms: Terms) -> Mapping[str, Any]:
    """Return kind and threshold, or epsilon, delta, what was charged of rho, and the error of
    every opened total, by its meaning."""
    if plan.noise is None:
        kind = terms.privacy.release if plan.gate is None else "gated"
        return {"kind": kind, "threshold": plan.root.min_group}
    noise = plan.noise
    errors = {column.meaning: error_of(plan, column) for column in plan.opened}
    return {
        "kind": "dp",
        "threshold": 1,
        "epsilon": noise.epsilon,
        "delta": noise.delta,
        "rho": float(Decimal(noise.units) / UNITS),
        "rows_per_person": noise.rows,
        "standard_errors": {text: error for text, error in errors.items() if error is not None},
    }


def standard_errors(plan: Plan) -> Mapping[str, float | None]:
    """Return the standard error of each column of the result that has noise.

    None for one that is computed from several totals, as AVG is: it depends on the totals.
    """
    if plan.noise is None:
        return {}
    opened = {column.name: error_of(plan, column) for column in plan.opened}
    select = parse_one(plan.final_sql, dialect="duckdb")
    found: dict[str, float | None] = {}
    for output in select.expressions:
        names = {column.name for column in output.find_all(exp.Column)}
        if any(opened.get(name) is not None for name in names):
            plain = isinstance(output.unalias(), exp.Column)
            found[output.alias_or_name] = opened[output.unalias().name] if plain else None
    return found
