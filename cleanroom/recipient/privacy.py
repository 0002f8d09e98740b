"""What a result says of the privacy of those it is about: how it was released, how far it is off.

Rule: from the plan and the contract alone; the same that the sheet said before. What noise may have
made up altogether has an infinite error, never one of 0, which would read as exact.
"""

import math
from collections.abc import Callable, Iterator, Mapping
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

Errors: TypeAlias = "float | tuple[float, ...] | None"
_SURE = 2  # standard errors: what is divided by has to be larger


def privacy_of(plan: Plan, terms: Terms) -> Mapping[str, Any]:
    """Return kind and threshold, or epsilon, delta, what was charged of rho, and the error of
    every opened total, by its meaning."""
    if plan.noise is None:
        return {"kind": _kind(plan, terms), "threshold": plan.root.min_group}
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


def _kind(plan: Plan, terms: Terms) -> str:
    if plan.propagation is not None:
        return "propagation"
    return terms.privacy.release if plan.gate is None else "gated"


def finished(
    plan: Plan, finish: Callable[[Plan], "pa.Table"]
) -> "tuple[pa.Table, Mapping[str, Errors]]":
    """Return the rows of a result, and the standard error of each column that has noise.

    That of a column which is one total is the same in each row. That of one which is computed,
    as AVG is, depends on the totals: each is moved by its own standard error, up and down, and
    the larger change counts, as independent of the others'. It is infinite where the value is
    NULL or NaN, where it was cut off at a bound, where it was divided by a count that isn't more
    than twice its own error, and where no move changes it, as with steps of ROUND and CASE.

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
    counts = {column.name for column in plan.opened if column.meaning.startswith("COUNT(")}
    for place, output in enumerate(computed):
        value = output.unalias()
        told = exp.If(this=exp.and_(*_sure(value, errors, counts)), true=_propagated(value, errors))
        error = exp.alias_(exp.Case(ifs=[told]), f"#{place}", quoted=True)
        wider.select(error, copy=False)
    try:
        table = finish(replace(plan, final_sql=sql_of(wider)))
    except UnsupportedQuery:  # of anything but a number there is no error
        return finish(plan), found
    shown = table.num_columns - len(computed)
    for place, output in enumerate(computed, start=shown):
        told_of = table.column(place).to_pylist()
        found[output.alias_or_name] = tuple(e if e and e > 0 else math.inf for e in told_of)
    return table.select(list(range(shown))), found


def _of_totals(plan: Plan) -> dict[str, float]:
    """Return opened column -> its standard error, if it has noise."""
    opened = ((column.name, error_of(plan, column)) for column in plan.opened)
    return {name: error for name, error in opened if error is not None}


def _noisy_in(output: exp.Expr, errors: Mapping[str, float]) -> list[str]:
    names = (column.name for column in output.find_all(exp.Column))
    return [name for name in dict.fromkeys(names) if name in errors]


def _sure(value: exp.Expr, errors: Mapping[str, float], counts: set[str]) -> Iterator[exp.Expr]:
    """Write what has to hold for the change of a value to tell its error."""
    yield exp.Not(this=exp.Is(this=exp.paren(value.copy()), expression=exp.Null()))
    for ratio in value.find_all(exp.Div, exp.IntDiv, exp.Mod):
        whole = ratio.expression.unnest()
        for name in _noisy_in(whole, errors):
            if name in counts or isinstance(whole, exp.Column):
                column = exp.column(name, quoted=True)
                size = column if name in counts else function("abs", column)
                yield exp.GT(this=size, expression=_step(_SURE * errors[name]))
    for cut in value.find_all(exp.Greatest, exp.Least):
        args = [cut.this, *cut.expressions]
        bounds = [arg for arg in args if not _noisy_in(arg, errors)]  # which is met where it cuts
        yield from (exp.NEQ(this=cut.copy(), expression=bound.copy()) for bound in bounds)


def _propagated(value: exp.Expr, errors: Mapping[str, float]) -> exp.Expr:
    """Write the root of the squared changes of a value, each by one total's error."""
    squares = [
        function("pow", _change(value, name, errors[name]), constant(2))
        for name in _noisy_in(value, errors)
    ]
    total = squares[0]
    for square in squares[1:]:
        total = exp.Add(this=total, expression=square)
    return function("sqrt", total)


def _change(value: exp.Expr, name: str, error: float) -> exp.Expr:
    """Write by how much a value changes, at most, if a total is larger or smaller."""
    changes = [
        function("abs", exp.Sub(this=exp.paren(moved), expression=exp.paren(value.copy())))
        for moved in (_moved(value, name, error, exp.Add), _moved(value, name, error, exp.Sub))
    ]
    return function("greatest", *changes)


def _moved(value: exp.Expr, name: str, error: float, way: type[exp.Binary]) -> exp.Expr:
    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.name != name:
            return node
        return exp.paren(way(this=cast(node.copy(), "DOUBLE"), expression=_step(error)))

    return value.copy().transform(change)


def _step(error: float) -> exp.Expr:
    return cast(exp.Literal.number(repr(error)), "DOUBLE")
