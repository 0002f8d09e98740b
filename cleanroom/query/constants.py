"""Conditions that compare one column with constants: which values or which range they let pass.

Rule: exact. A condition of another form isn't guessed at.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.contract.types import Kind
from cleanroom.plan.restrictions import How
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import COMPARISONS, Expr
from cleanroom.sql.missing import bare

NULL = "NULL"
_ORDERED = (Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What passes, of one column; `how` and the rest as in `Restriction`."""

    column: Expr
    how: How
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = 0


def chosen(condition: Expr) -> Chosen | None:
    """Return what a condition lets pass; None if it isn't of this form."""
    match condition.op:
        case "column" | "optional" if _is_flag(condition):
            return Chosen(condition, "equality", ("true",))
        case "not" if _is_flag(condition.args[0]):
            return Chosen(condition.args[0], "equality", ("false",))
        case "is_null" if _is_column(condition.args[0]):
            return Chosen(condition.args[0], "equality", (NULL,))
        case "in":
            return _in(condition)
        case "or":
            return _or(condition)
        case op if op in COMPARISONS:
            return _comparison(condition)
    return None


def _in(condition: Expr) -> Chosen | None:
    column, *values = condition.args
    if not _is_column(column) or not all(_is_constant(value) for value in values):
        return None
    return _equal(column, *values)


def _or(condition: Expr) -> Chosen | None:
    """Put equalities of the same column together."""
    found = [chosen(arg) for arg in condition.args]
    first = found[0]
    if first is None:
        return None
    values: dict[str, None] = {}
    for one in found:
        if one is None or one.how != "equality" or bare(one.column) != bare(first.column):
            return None
        values.update(dict.fromkeys(one.values))
    return Chosen(first.column, "equality", tuple(sorted(values)))


def _comparison(condition: Expr) -> Chosen | None:
    column, constant = condition.args
    op = condition.op
    if _is_constant(column):
        column, constant, op = constant, column, COMPARISONS[op]
    if not _is_column(column) or not _is_constant(constant):
        return None
    if op == "=":
        return _equal(column, constant)
    return _range(column, op, constant.domain)


def _equal(column: Expr, *constants: Expr) -> Chosen | None:
    texts = [_text(constant, column.domain) for constant in constants]
    found = sorted({text for text in texts if text is not None})
    return Chosen(column, "equality", tuple(found)) if None not in texts else None


def _range(column: Expr, op: str, end: Domain) -> Chosen | None:
    domain = column.domain
    if domain.kind not in _ORDERED or not _comparable(domain, end):
        return None
    at = Fraction(end.low, 10**end.scale) * 10**domain.scale
    low, high = domain.low, domain.high
    match op:
        case "<":
            high = min(high, math.ceil(at) - 1)
        case "<=":
            high = min(high, math.floor(at))
        case ">":
            low = max(low, math.floor(at) + 1)
        case ">=":
            low = max(low, math.ceil(at))
        case _:
            return None
    return Chosen(column, "range", (), low, high)


def _text(constant: Expr, domain: Domain) -> str | None:
    """Write a constant as a value of the column: equal values alike."""
    if isinstance(constant.value, str):
        return f"'{constant.value}"
    if isinstance(constant.value, bool):
        return str(constant.value).lower()
    if not _comparable(domain, constant.domain):
        return None
    return str(Fraction(constant.domain.low, 10**constant.domain.scale) * 10**domain.scale)


def _comparable(a: Domain, b: Domain) -> bool:
    return a.kind is b.kind or (a.is_number and b.is_number)


def _is_column(expr: Expr) -> bool:
    return bare(expr).op == "column"


def _is_flag(expr: Expr) -> bool:
    return _is_column(expr) and expr.domain.kind is Kind.BOOLEAN


def _is_constant(expr: Expr) -> bool:
    return expr.op == "literal" and expr.value is not None
