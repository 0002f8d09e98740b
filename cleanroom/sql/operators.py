"""Operators of bound expressions: typing, folding of constants, implied conversions.

Rule: one constructor per operator; each refuses kinds of operands that SQL or we can't combine.
"""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import domain as domains
from cleanroom.sql.domain import LIMIT, NOTHING, TRUTH, UNKNOWN, Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.functions import DAY_US, text


def literal(value: object) -> Expr:
    """Make a constant of an int, Decimal, bool, date, datetime, str or None."""
    match value:
        case None:
            return Expr("literal", (), NOTHING)
        case bool():
            return Expr("literal", (), replace(TRUTH, low=int(value), high=int(value)), value)
        case int():
            if abs(value) >= LIMIT:
                raise UnsupportedQuery("an integer constant of 62 bits or more")
            return Expr("literal", (), Domain(Kind.INTEGER, value, value), value)
        case Decimal():
            scale = max(-int(value.as_tuple().exponent), 0)
            if scale > domains.MAX_SCALE or abs(value.scaleb(scale)) >= domains.DECIMAL_LIMIT:
                raise UnsupportedQuery("a decimal constant of more than 18 digits")
            encoded = int(value.scaleb(scale))
            return Expr("literal", (), Domain(Kind.DECIMAL, encoded, encoded, scale), value)
        case str():
            if "\0" in value:
                raise UnsupportedQuery("a NUL in a text constant")
            return text(value)
    kind = Kind.TIMESTAMP if isinstance(value, dt.datetime) else Kind.DATE
    encoded = SqlType(kind).encode(value)
    return Expr("literal", (), Domain(kind, encoded, encoded), value)


def arithmetic(op: str, a: Expr, b: Expr) -> Expr:
    """Build a + b, a - b, a * b, a / b, a // b or a % b."""
    if op == "/":
        return Expr(op, (a, b), UNKNOWN)
    folded = _fold(op, a.value, b.value) if a.op == b.op == "literal" else None
    return folded or Expr(op, (a, b), _arithmetic(op, a.domain, b.domain))


def _fold(op: str, a: object, b: object) -> Expr | None:
    if isinstance(a, int | Decimal) and isinstance(b, int | Decimal):
        results = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}
        if op in results and not isinstance(a, bool) and not isinstance(b, bool):
            return literal(results[op]())
    return None


def _arithmetic(op: str, a: Domain, b: Domain) -> Domain:
    nullable = a.nullable or b.nullable
    if a.kind is None or b.kind is None:
        return UNKNOWN
    if a.is_number and b.is_number:
        if op == "+":
            return domains.add(a, b)
        if op == "-":
            return domains.add(a, domains.negate(b))
        if op == "*":
            return domains.multiply(a, b)
        if a.kind is b.kind is Kind.INTEGER:
            return _whole_division(op, a, b)
    if a.kind is b.kind is Kind.DATE and op == "-":
        return Domain(Kind.INTEGER, a.low - b.high, a.high - b.low, nullable=nullable)
    if a.kind is Kind.DATE and b.kind is Kind.INTEGER and op in "+-":
        sign = b if op == "+" else domains.negate(b)
        low, high = a.low + sign.low, a.high + sign.high
        bottom, top = SqlType(Kind.DATE).widest()
        if bottom <= low and high <= top:
            return Domain(Kind.DATE, low, high, nullable=nullable)
    raise UnsupportedQuery(f"{a.kind} {op} {b.kind} on these ranges")


def _whole_division(op: str, a: Domain, b: Domain) -> Domain:
    domains.checked(a)
    nullable = a.nullable or b.nullable or b.low <= 0 <= b.high  # NULL when dividing by zero
    if op == "//":
        divisors = [d for d in {b.low, b.high, -1, 1} - {0} if b.low <= d <= b.high]
        ends = [_quotient(x, d) for x in (a.low, a.high) for d in divisors] or [0]
        return Domain(Kind.INTEGER, min(ends), max(ends), nullable=nullable)
    top = min(max(b.magnitude - 1, 0), a.magnitude)
    return Domain(Kind.INTEGER, -top if a.low < 0 else 0, top, nullable=nullable)


def _quotient(a: int, b: int) -> int:
    """Divide as DuckDB does, towards zero."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def negative(a: Expr) -> Expr:
    """Build -a."""
    if a.op == "literal" and isinstance(a.value, int | Decimal) and not isinstance(a.value, bool):
        return literal(-a.value)
    if a.domain.kind is not None and not a.domain.is_number:
        raise UnsupportedQuery(f"- on {a.domain.kind}")
    return Expr("neg", (a,), domains.negate(a.domain) if a.domain.kind else UNKNOWN)


def compare(op: str, a: Expr, b: Expr) -> Expr:
    """Build a comparison, with text constants read as the dates they are compared with."""
    a, b = alike(*_as_numbers(a, b))
    if a.op == b.op == "literal" and None not in (a.value, b.value):
        return literal(_holds(op, a.value, b.value))
    domains.union((a.domain, b.domain))
    return Expr(op, (a, b), replace(TRUTH, nullable=a.domain.nullable or b.domain.nullable))


def _as_numbers(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """Convert a truth value that is compared with a number to 0 or 1."""

    def number(arg: Expr, other: Expr) -> Expr:
        if arg.domain.kind is not Kind.BOOLEAN or not other.domain.is_number:
            return arg
        if arg.op == "literal":
            return literal(int(bool(arg.value)))
        return Expr("cast", (arg,), replace(arg.domain, kind=Kind.INTEGER), "BIGINT")

    return number(a, b), number(b, a)


def _holds(op: str, a: object, b: object) -> bool:
    x, y = (v.encode() if isinstance(v, str) else v for v in (a, b))
    less, same = bool(x < y), x == y  # type: ignore[operator]
    return {"=": same, "<>": not same, "<": less, "<=": less or same}.get(
        op, not (less or same) if op == ">" else not less
    )


def alike(*args: Expr) -> tuple[Expr, ...]:
    """Convert text constants and DATEs to the kind of the others, as SQL does."""
    kinds = {arg.domain.kind for arg in args}
    for kind in (Kind.TIMESTAMP, Kind.DATE):
        if kind in kinds:
            return tuple(_as(kind, arg) for arg in args)
    return args


def _as(kind: Kind, arg: Expr) -> Expr:
    if arg.op == "literal" and isinstance(arg.value, str):
        return literal(_read(kind, arg.value))
    if kind is Kind.TIMESTAMP and arg.domain.kind is Kind.DATE:
        return timestamp_of(arg)
    return arg


def timestamp_of(arg: Expr) -> Expr:
    """Convert a DATE to its midnight."""
    if arg.op == "literal" and isinstance(arg.value, dt.date):
        return literal(dt.datetime.combine(arg.value, dt.time()))
    d = arg.domain
    return Expr(
        "cast",
        (arg,),
        Domain(Kind.TIMESTAMP, d.low * DAY_US, d.high * DAY_US, nullable=d.nullable),
        "TIMESTAMP",
    )


def _read(kind: Kind, value: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value) if kind is Kind.DATE else _moment(value)
    except ValueError:
        raise UnsupportedQuery(f"a text constant that is no {kind} in ISO form") from None


def _moment(value: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        raise UnsupportedQuery("a TIMESTAMP constant with a time zone")
    return moment


def logical(op: str, args: tuple[Expr, ...]) -> Expr:
    """Build AND, OR or NOT of truth values, nested ones of the same kind flattened."""
    for arg in args:
        condition(arg)
    flat = tuple(p for arg in args for p in (arg.args if arg.op == op != "not" else (arg,)))
    return Expr(op, flat, replace(TRUTH, nullable=any(a.domain.nullable for a in args)))


def condition(arg: Expr) -> Expr:
    """Return `arg` if it is a truth value."""
    if arg.domain.kind not in (Kind.BOOLEAN, None):
        raise UnsupportedQuery(f"{arg.domain.kind} as a condition")
    return arg


def is_null(arg: Expr) -> Expr:
    return Expr("is_null", (arg,), TRUTH)


def is_in(arg: Expr, options: tuple[Expr, ...]) -> Expr:
    """Build arg IN (constants)."""
    arg, *rest = alike(arg, *options)
    if any(option.op != "literal" or option.value is None for option in rest):
        raise UnsupportedQuery("IN with anything but constants")
    domains.union((arg.domain, *(option.domain for option in rest)))
    return Expr("in", (arg, *rest), replace(TRUTH, nullable=arg.domain.nullable))


def first_known(args: tuple[Expr, ...]) -> Expr:
    """Build COALESCE as a CASE."""
    branches = tuple((logical("not", (is_null(arg),)), arg) for arg in args[:-1])
    return case(branches, args[-1])


def case(branches: tuple[tuple[Expr, Expr], ...], default: Expr | None) -> Expr:
    """Build CASE: args are condition, value, condition, value, ..., default."""
    default = default or literal(None)
    values = alike(*(value for _, value in branches), default)
    conditions = tuple(condition(when) for when, _ in branches)
    known = domains.union(value.domain for value in values)
    nullable = any(value.domain.nullable for value in values)
    pairs = zip(conditions, values[:-1], strict=True)
    args = (*(part for pair in pairs for part in pair), values[-1])
    return Expr("case", args, replace(known, nullable=nullable) if known.kind else UNKNOWN)
