"""The allowlist of functions: what a query may call, and what is known about the result.

Rule: every function here runs inside an owner's DuckDB, or on the opened result. Below an
aggregate only those are allowed that cannot fail on any row: an error would tell about a row.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.domain import UNKNOWN, Domain, checked, text_of, union
from cleanroom.sql.expr import Expr

DAY_US = 86_400_000_000
_EPOCH = dt.date(1970, 1, 1)

# Parts of a DATE or TIMESTAMP and the range of each; a year's range follows from the dates.
PARTS: Mapping[str, tuple[int, int]] = {
    "year": (0, 9999),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "dayofweek": (0, 6),
    "hour": (0, 23),
    "minute": (0, 59),
}
UNITS = ("year", "quarter", "month", "week", "day")

# On the opened result only: these may fail or lose digits, and give floating point.
AFTER_ONLY = frozenset(
    {"round", "floor", "ceil", "sqrt", "ln", "exp", "pow", "nullif", "greatest", "least", "/"}
)


def day_of(encoded: int, kind: Kind) -> dt.date:
    """Return the day of an encoded DATE or TIMESTAMP."""
    first, last = SqlType(Kind.DATE).widest()
    days = encoded if kind is Kind.DATE else encoded // DAY_US
    return _EPOCH + dt.timedelta(days=min(max(days, first), last))


def call(name: str, *args: Expr) -> Expr:
    """Call an allowed function, with the domain of its result.

    Raises:
        UnsupportedQuery: if the function isn't allowed on such arguments.
    """
    if name in PARTS:
        domain = _part(name, args[0].domain)
    elif name in AFTER_ONLY:
        domain = UNKNOWN
    elif name in _RESULTS:
        domain = _RESULTS[name](*args)
    else:
        raise UnsupportedQuery(f"function {name[:40]}")
    return Expr("call", args, domain, name)


def date_trunc(unit: str, arg: Expr) -> Expr:
    """Cut a date to the start of its unit; DuckDB gives a TIMESTAMP."""
    domain = arg.domain
    if unit not in UNITS:
        raise UnsupportedQuery(f"date_trunc to {unit[:40]!r}; allowed: {', '.join(UNITS)}")
    if domain.kind not in (Kind.DATE, Kind.TIMESTAMP):
        raise UnsupportedQuery(f"date_trunc of {domain.kind or 'a computed value'}")
    scale = DAY_US if domain.kind is Kind.DATE else 1
    low = max(domain.low * scale - 366 * DAY_US, SqlType(Kind.TIMESTAMP).widest()[0])
    result = Domain(Kind.TIMESTAMP, low, domain.high * scale, nullable=domain.nullable)
    return Expr("call", (text(unit), arg), result, "date_trunc")


def text(value: str) -> Expr:
    return Expr("literal", (), text_of([value]), value)


def _part(name: str, domain: Domain) -> Domain:
    if domain.kind not in (Kind.DATE, Kind.TIMESTAMP):
        raise UnsupportedQuery(f"{name} of {domain.kind or 'a computed value'}")
    low, high = PARTS[name]
    if name == "year":
        low, high = day_of(domain.low, domain.kind).year, day_of(domain.high, domain.kind).year
    return Domain(Kind.INTEGER, low, high, nullable=domain.nullable)


def _abs(arg: Expr) -> Domain:
    domain = arg.domain
    if domain.kind is None:
        return UNKNOWN
    if not domain.is_number:
        raise UnsupportedQuery(f"abs of {domain.kind}")
    checked(domain)
    low = 0 if domain.low <= 0 <= domain.high else min(abs(domain.low), abs(domain.high))
    return replace(domain, low=low, high=domain.magnitude)


def _case_of(change: Callable[[str], str]) -> Callable[[Expr], Domain]:
    def result(arg: Expr) -> Domain:
        domain = _of_text(arg)
        if domain.values and all(value.isascii() for value in domain.values):
            return text_of((change(value) for value in domain.values), domain.nullable)
        # Unicode's simple case mappings turn two bytes into three at most.
        return replace(domain, low=0, high=0, values=(), max_bytes=2 * domain.max_bytes)

    return result


def _substring(arg: Expr, start: Expr, length: Expr) -> Domain:
    domain = _of_text(arg)
    first, count = start.value, length.value
    if not (isinstance(first, int) and isinstance(count, int) and first >= 1 and count >= 1):
        raise UnsupportedQuery("substring without constant start and length from 1")
    if domain.values:
        parts = (value[first - 1 : first - 1 + count] for value in domain.values)
        return text_of(parts, domain.nullable)
    return replace(domain, max_bytes=min(domain.max_bytes, 4 * count))


def _length(arg: Expr) -> Domain:
    domain = _of_text(arg)
    return Domain(Kind.INTEGER, 0, domain.max_bytes, nullable=domain.nullable)


def _coalesce(*args: Expr) -> Domain:
    domain = union(arg.domain for arg in args)
    return replace(domain, nullable=all(arg.domain.nullable for arg in args))


def _of_text(arg: Expr) -> Domain:
    if arg.domain.kind is not Kind.TEXT:
        raise UnsupportedQuery(f"a text function of {arg.domain.kind or 'a computed value'}")
    return arg.domain


_RESULTS: Mapping[str, Callable[..., Domain]] = {
    "abs": _abs,
    "upper": _case_of(str.upper),
    "lower": _case_of(str.lower),
    "substring": _substring,
    "length": _length,
    "coalesce": _coalesce,
}
