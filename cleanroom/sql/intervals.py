"""Dates and an INTERVAL: constant lengths of time added to a DATE or TIMESTAMP.

Rule: the result is a TIMESTAMP, as DuckDB's is. Months end at the last day of a shorter month.
"""

import calendar
import datetime as dt
from typing import Any

from sqlglot import exp

from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.domain import UNKNOWN, Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.functions import DAY_US
from cleanroom.sql.parse import only

MAX_LENGTH = 1_000_000
_MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": DAY_US,
    "week": 7 * DAY_US,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def shifted(arg: Expr, interval: Any, sign: int) -> Expr:
    """Build arg + INTERVAL or, if `sign` is -1, arg - INTERVAL.

    Raises:
        UnsupportedQuery: for a length that isn't a constant whole number of one unit.
    """
    if arg.domain.kind not in (Kind.DATE, Kind.TIMESTAMP):
        raise UnsupportedQuery(f"INTERVAL with {arg.domain.kind or 'a computed value'}")
    length, unit = _length(interval)
    moment = operators.timestamp_of(arg) if arg.domain.kind is Kind.DATE else arg
    if unit in _MONTHS:
        months = sign * length * _MONTHS[unit]
        if isinstance(moment.value, dt.datetime):
            return operators.literal(_by_months(moment.value, months))
        return _sum(moment, "to_months", months, 31 * DAY_US * abs(months))
    length *= sign * _MICROSECONDS[unit]
    if isinstance(moment.value, dt.datetime):
        return operators.literal(_later(moment.value, length))
    return _sum(moment, "to_microseconds", length, abs(length))


def _sum(moment: Expr, name: str, length: int, reach: int) -> Expr:
    own = moment.domain
    bottom, top = SqlType(Kind.TIMESTAMP).widest()
    low, high = own.low - reach, own.high + reach
    if low < bottom or high > top:
        raise _beyond()
    interval = Expr("call", (operators.literal(length),), UNKNOWN, name)
    domain = Domain(Kind.TIMESTAMP, low, high, nullable=own.nullable)
    return Expr("+", (moment, interval), domain)


def _length(interval: Any) -> tuple[int, str]:
    only(interval, "this", "unit")
    number = interval.this
    while isinstance(number, exp.Paren):
        number = number.this
    text = str(number.this) if isinstance(number, exp.Literal) else ""
    unit = interval.args["unit"].name.lower().removesuffix("s") if interval.args.get("unit") else ""
    if not text.isdecimal() or len(text) > 9 or int(text) > MAX_LENGTH:
        raise UnsupportedQuery("an INTERVAL that is no constant whole number")
    if unit not in (*_MICROSECONDS, *_MONTHS):
        raise UnsupportedQuery("an INTERVAL of such a unit")
    return int(text), unit


def _later(moment: dt.datetime, microseconds: int) -> dt.datetime:
    try:
        return moment + dt.timedelta(microseconds=microseconds)
    except OverflowError:
        raise _beyond() from None


def _beyond() -> UnsupportedQuery:
    return UnsupportedQuery("an INTERVAL that leads beyond the years 1 to 9999")


def _by_months(moment: dt.datetime, months: int) -> dt.datetime:
    years, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= years <= 9999:
        raise _beyond()
    day = min(moment.day, calendar.monthrange(years, month + 1)[1])
    return moment.replace(year=years, month=month + 1, day=day)
