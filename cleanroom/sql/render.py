"""Bound expressions back to SQL: built as sqlglot trees, never by joining text."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache

from sqlglot import exp

from cleanroom.sql.expr import Expr

_BINARY: dict[str, type[exp.Binary]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "//": exp.IntDiv,
    "%": exp.Mod,
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
    "like": exp.Like,
    "ilike": exp.ILike,
}


def render(expr: Expr, leaf: Callable[[Expr], exp.Expr]) -> exp.Expr:
    """Turn an expression into SQL.

    Args:
        leaf: gives the SQL of columns, keys and aggregates.
    """
    match expr.op:
        case "column" | "key" | "aggregate":
            return leaf(expr)
        case "literal":
            return constant(expr.value)
        case "optional":
            return render(expr.args[0], leaf)
    args = [render(arg, leaf) for arg in expr.args]
    if expr.op in _BINARY:
        return exp.paren(_BINARY[expr.op](this=args[0], expression=args[1]), copy=False)
    if expr.op == "call":
        return function(str(expr.value), *args)
    if expr.op == "cast":
        return cast(args[0], str(expr.value))
    return exp.paren(_FORMS[expr.op](args), copy=False)


def function(name: str, *args: exp.Expr) -> exp.Expr:
    """Call a DuckDB function by its name."""
    return exp.Anonymous(this=name, expressions=list(args))


def cast(value: exp.Expr, sql_type: str) -> exp.Expr:
    """Convert to a DuckDB type."""
    # Not sqlglot's own `cast`: it leaves out a cast between two precisions of DECIMAL.
    return exp.Cast(this=value, to=_type(sql_type).copy())


@cache
def _type(sql_type: str) -> exp.DataType:
    return exp.DataType.build(sql_type, dialect="duckdb")


def constant(value: object) -> exp.Expr:
    """Write a literal."""
    match value:
        case None:
            return exp.Null()
        case bool():
            return exp.Boolean(this=value)
        case int() | Decimal() if value < 0:
            return exp.paren(exp.Neg(this=constant(-value)), copy=False)
        case int():
            return exp.Literal.number(str(value))
        case Decimal():
            return exp.Literal.number(format(value, "f"))
        case dt.datetime():
            return cast(exp.Literal.string(value.isoformat(" ")), "TIMESTAMP")
        case dt.date():
            return cast(exp.Literal.string(value.isoformat()), "DATE")
    return exp.Literal.string(str(value))


def sql_of(node: exp.Expr) -> str:
    """Write a tree as DuckDB SQL on one line."""
    return node.sql(dialect="duckdb", comments=False)


def _case(args: list[exp.Expr]) -> exp.Expr:
    pairs = zip(args[:-1:2], args[1:-1:2], strict=True)
    case = exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in pairs])
    if not isinstance(args[-1], exp.Null):
        case.set("default", args[-1])
    return case


_FORMS: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "and": lambda args: exp.and_(*args, copy=False),
    "or": lambda args: exp.or_(*args, copy=False),
    "not": lambda args: exp.Not(this=args[0]),
    "neg": lambda args: exp.Neg(this=args[0]),
    "is_null": lambda args: exp.Is(this=args[0], expression=exp.Null()),
    "in": lambda args: exp.In(this=args[0], expressions=args[1:]),
    "case": _case,
}
