"""Aggregate functions: how each is written, and which rights each needs.

Rule: one name a function, whatever its spellings; a spelling that isn't here is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.domain import UNKNOWN
from cleanroom.sql.expr import Expr
from cleanroom.sql.parse import construct, only

Bind = Callable[[exp.Expr], Expr]

_ONE: Mapping[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.Median: "median",
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
}
_TWO: Mapping[type[exp.Expr], str] = {
    exp.CovarSamp: "covar_samp",
    exp.CovarPop: "covar_pop",
    exp.Corr: "corr",
}
_RANKED = (exp.PercentileDisc, exp.PercentileCont, exp.Quantile, exp.WithinGroup)
VALUES = ("min", "max", "quantile_disc")  # results that are one of the values

RIGHTS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("count", "sum", "avg", "min", "max")},
    **{f"{name}_distinct": (name,) for name in ("count", "sum", "avg")},
    "median": ("quantile",),
    "quantile_disc": ("quantile",),
    **{name: ("sum", "count") for name in (*_ONE.values(), *_TWO.values()) if "_" in name},
    "corr": ("sum", "count"),
}


def is_aggregate(node: exp.Expr) -> bool:
    return type(node) in _ONE or type(node) in _TWO or isinstance(node, _RANKED)


def bind_aggregate(node: Any, bind: Bind) -> Expr:
    """Bind an aggregate function; `bind` binds its arguments.

    Raises:
        UnsupportedQuery: for clauses and arguments that can't be computed.
    """
    if isinstance(node, _RANKED):
        return _quantile(node, bind)
    if type(node) in _TWO:
        only(node, "this", "expression")
        return _aggregate(_TWO[type(node)], bind(node.this), bind(node.expression))
    only(node, "this", "big_int")
    name = _ONE[type(node)]
    if isinstance(node.this, exp.Star):
        only(node.this)
        if name != "count":
            raise UnsupportedQuery(f"{name.upper()}(*)")
        return _aggregate(name)
    if isinstance(node.this, exp.Distinct):
        return _distinct(name, node.this, bind)
    return _aggregate(name, bind(node.this))


def filtered(aggregate: Expr, condition: Expr) -> Expr:
    """FILTER (WHERE c) is CASE WHEN c around the first argument."""
    if aggregate.op != "aggregate":
        raise UnsupportedQuery("FILTER on anything but an aggregate")
    first, *rest = aggregate.args or (operators.literal(1),)
    return replace(aggregate, args=(operators.case(((condition, first),), None), *rest))


def _aggregate(name: str, *args: Expr) -> Expr:
    domain = replace(args[0].domain, nullable=True) if name in VALUES else UNKNOWN
    return Expr("aggregate", args, domain, name)


def _distinct(name: str, node: Any, bind: Bind) -> Expr:
    only(node, "expressions")
    if len(node.expressions) != 1:
        raise UnsupportedQuery("DISTINCT over several columns in an aggregate")
    arg = bind(node.expressions[0])
    if name in ("min", "max"):
        return _aggregate(name, arg)
    if f"{name}_distinct" not in RIGHTS:
        raise UnsupportedQuery(f"DISTINCT in {name.upper()}")
    return _aggregate(f"{name}_distinct", arg)


def _quantile(node: Any, bind: Bind) -> Expr:
    """PERCENTILE_DISC(q) WITHIN GROUP (ORDER BY x), QUANTILE_DISC(x, q), and _CONT for 0.5."""
    kind, part = node, node.args.get("expression") or node.args.get("quantile")
    if isinstance(node, exp.WithinGroup):
        only(node, "this", "expression")
        kind, part = node.this, node.this.this
        (ordered,) = node.expression.expressions
        if ordered.args.get("desc"):
            raise UnsupportedQuery("PERCENTILE_DISC with ORDER BY ... DESC")
        arg = bind(ordered.this)
    else:
        only(node, "this", "expression", "quantile")
        arg = bind(node.this)
    share = _share(bind(part) if part is not None else None)
    if isinstance(kind, exp.PercentileCont):
        if Fraction(share) != Fraction(1, 2):
            raise UnsupportedQuery("PERCENTILE_CONT of anything but 0.5; PERCENTILE_DISC works")
        return _aggregate("median", arg)
    if not isinstance(kind, exp.PercentileDisc | exp.Quantile):
        raise UnsupportedQuery(construct(kind))
    return _aggregate("quantile_disc", arg, operators.literal(share))


def _share(part: Expr | None) -> int | Decimal:
    if part is None or part.op != "literal" or isinstance(part.value, bool):
        raise UnsupportedQuery("a quantile at anything but a constant")
    if not isinstance(part.value, int | Decimal) or not 0 <= part.value <= 1:
        raise UnsupportedQuery("a quantile outside of 0 to 1")
    return part.value


def share_of(quantile: Expr) -> Fraction:
    """Return at which part of the values a 'quantile_disc' stands."""
    value = quantile.args[1].value
    if not isinstance(value, int | Decimal):
        raise TypeError("a quantile's part is no number")
    return Fraction(value)


def is_value(expr: Expr) -> bool:
    """Whether an aggregate gives one of its argument's values."""
    return expr.op == "aggregate" and expr.value in VALUES
