"""CAST: exact conversions anywhere, all others only on the opened result."""

import datetime as dt
from dataclasses import replace

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.domain import UNKNOWN, Domain
from cleanroom.sql.expr import Expr
from cleanroom.sql.functions import DAY_US

_WHOLE = ("BIGINT", "INT", "INTEGER")
_AFTER = {*_WHOLE, "DOUBLE", "HUGEINT", "INT128", "VARCHAR", "TEXT", "DATE", "TIMESTAMP"}


def convert(arg: Expr, to: str) -> Expr:
    """Build CAST(arg AS to).

    Raises:
        UnsupportedQuery: for a type that isn't allowed.
    """
    kind = arg.domain.kind
    if to in ("DATE", "TIMESTAMP") and arg.op == "literal" and isinstance(arg.value, str):
        zero: dt.date = dt.date(1970, 1, 1) if to == "DATE" else dt.datetime(1970, 1, 1)
        return operators.alike(arg, operators.literal(zero))[0]
    if to == kind or (to in _WHOLE and kind is Kind.INTEGER):
        return arg
    if to == "TIMESTAMP" and kind is Kind.DATE:
        return operators.timestamp_of(arg)
    if to == "DATE" and kind is Kind.TIMESTAMP:
        low, high = arg.domain.low // DAY_US, arg.domain.high // DAY_US
        domain = Domain(Kind.DATE, low, high, nullable=arg.domain.nullable)
        return Expr("cast", (arg,), domain, "DATE")
    if to in _WHOLE and kind is Kind.BOOLEAN:
        return Expr("cast", (arg,), replace(arg.domain, kind=Kind.INTEGER), "BIGINT")
    if to in _AFTER or to.startswith("DECIMAL("):
        return Expr("cast", (arg,), UNKNOWN, to)
    raise UnsupportedQuery(f"CAST to {to[:40]}")
