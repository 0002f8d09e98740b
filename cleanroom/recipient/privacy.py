"""What a result says of the privacy of those it is about: how it was released, how far it is off.

Rule: from the plan and the contract alone; the same that the sheet said before.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp, parse_one

from cleanroom.budget.zcdp import UNITS
from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plan import Plan
from cleanroom.plan.sheet_on_noise import error_of
from cleanroom.sql.render import cast, constant, function, sql_of

if TYPE_CHECKING:
    import pyarrow as pa

Errors: TypeAlias = "float | tuple[float | None, ...] | None"


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


def finished(
    plan: Plan, finish: Callable[[Plan], "pa.Table"]
) -> "tuple[pa.Table, Mapping[str, Errors]]":
    """Return the rows of a result, and the standard error of each column that has noise.

    That of a column which is one total is the same in each row. That of one which is computed,
    as AVG is, depends on the totals: each is moved by its own standard error, and what that
    changes counts as independent.

    Args:
        finish: runs a plan's last step over what was opened.
    """
    errors = _of_totals(plan)
    if not errors:
        return finish(plan), {}
    select = parse_one(plan.final_sql, dialect="duckdb", into=exp.Select)
    outputs = [output for output in select.expressions if _noisy_in(output, errors)]
    found: dict[str, Errors] = {
        output.alias_or_name: errors.get(output.unalias().name)
        if isinstance(output.unalias(), exp.Column)
        else None
        for output in outputs
    }
    computed = [output for output in outputs if found[output.alias_or_name] is None]
    wider = select.copy()
    for place, output in enumerate(computed):
        error = exp.alias_(_propagated(output.unalias(), errors), f"#{place}", quoted=True)
        wider.select(error, copy=False)
    try:
        table = finish(replace(plan, final_sql=sql_of(wider)))
    except UnsupportedQuery:  # of anything but a number there is no error
        return finish(plan), found
    shown = table.num_columns - len(computed)
    for place, output in enumerate(computed, start=shown):
        found[output.alias_or_name] = tuple(table.column(place).to_pylist())
    return table.select(list(range(shown))), found


def _of_totals(plan: Plan) -> dict[str, float]:
    """Return opened column -> its standard error, if it has noise."""
    opened = ((column.name, error_of(plan, column)) for column in plan.opened)
    return {name: error for name, error in opened if error is not None}


def _noisy_in(output: exp.Expr, errors: Mapping[str, float]) -> list[str]:
    names = (column.name for column in output.find_all(exp.Column))
    return [name for name in dict.fromkeys(names) if name in errors]


def _propagated(value: exp.Expr, errors: Mapping[str, float]) -> exp.Expr:
    """Write the root of the squared changes of a value, each by one total's error."""
    squares = [
        function("pow", exp.Sub(this=moved, expression=exp.paren(value.copy())), constant(2))
        for name in _noisy_in(value, errors)
        for moved in (exp.paren(_moved(value, name, errors[name])),)
    ]
    total = squares[0]
    for square in squares[1:]:
        total = exp.Add(this=total, expression=square)
    return function("sqrt", total)


def _moved(value: exp.Expr, name: str, error: float) -> exp.Expr:
    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.name != name:
            return node
        step = cast(exp.Literal.number(repr(error)), "DOUBLE")
        return exp.paren(exp.Add(this=cast(node.copy(), "DOUBLE"), expression=step))

    return value.copy().transform(change)
