"""Values and names that a program passes, as trees of SQL.

Rule: the only way from Python's values to SQL. A value becomes a literal and a name a quoted
identifier where it has to be; what has no such form is refused here, when the frame is built.
"""

import datetime as dt
import re
from decimal import Decimal

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.operators import literal as checked
from cleanroom.sql.render import constant

MAX_NAME = 128
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNITS = (
    ("DAY", 86_400_000_000),
    ("HOUR", 3_600_000_000),
    ("MINUTE", 60_000_000),
    ("SECOND", 1_000_000),
    ("MICROSECOND", 1),
)
_KINDS = "None, bool, int, float, Decimal, str, date, datetime or timedelta"


def value_of(value: object) -> exp.Expr:
    """Return the literal of a value; of NumPy's and pandas' scalars that of their Python value.

    Raises:
        UnsupportedQuery: for numbers that aren't finite or too long, times with a zone, text with
            a NUL, and what isn't a single value.
    """
    value = _plain(value)
    match value:
        case float():
            value = Decimal(repr(value))
            if not value.is_finite():
                raise UnsupportedQuery("a number that isn't finite", remedy="Test with is_null().")
        case dt.datetime() if value.tzinfo is not None:
            raise UnsupportedQuery("a datetime with a time zone", remedy="Convert it before.")
        case dt.timedelta():
            return _interval(value)
        case str():
            _check_text(value)
        case None | bool() | int() | Decimal() | dt.date():
            pass
        case _:
            what = f"a {type(value).__name__} as a value"
            raise UnsupportedQuery(what, remedy=f"A value is {_KINDS}; lists go into is_in().")
    if isinstance(value, Decimal) and not value.is_finite():
        raise UnsupportedQuery("a number that isn't finite", remedy="Test with is_null().")
    checked(value)
    tree = constant(value)
    return tree.this if isinstance(tree, exp.Paren) else tree


def _plain(value: object) -> object:
    """Turn scalars of NumPy and pandas into Python's."""
    if isinstance(value, dt.datetime) and hasattr(value, "to_pydatetime"):
        return value.to_pydatetime(warn=False)
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnsupportedQuery("a text with a lone surrogate, half of a character") from None


def _interval(length: dt.timedelta) -> exp.Expr:
    """Return an INTERVAL in the largest unit of which it has whole ones."""
    total = (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds
    if total < 0:
        raise UnsupportedQuery("a negative timedelta", remedy="Subtract the positive one.")
    unit, size = next((unit, size) for unit, size in _UNITS if total % size == 0)
    number = exp.Literal.string(str(total // size))
    return exp.Interval(this=number, unit=exp.Var(this=unit))


def identifier(name: str) -> exp.Identifier:
    """Return a name as SQL writes it, in quotes unless it is plain."""
    return exp.to_identifier(name, quoted=not _PLAIN.fullmatch(name) or None)


def output_name(name: object) -> str:
    """Return a name that a column of a result may have.

    Raises:
        UnsupportedQuery: for what isn't a short text of characters that print.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
        raise UnsupportedQuery(f"a column's name that is no text of 1 to {MAX_NAME} characters")
    if not name.isprintable() or name.startswith("#"):
        what = "a column's name with characters that don't print, or that begins with '#'"
        raise UnsupportedQuery(what, remedy="Name it with letters, digits and _.")
    return name


def parameter(name: object) -> exp.Placeholder:
    """Return the place of a private parameter.

    Raises:
        UnsupportedQuery: for a name that isn't plain.
    """
    if not isinstance(name, str) or not _PLAIN.fullmatch(name):
        remedy = "Name it with letters, digits and _."
        raise UnsupportedQuery("a private parameter's name that isn't plain", remedy=remedy)
    return exp.Placeholder(this=name)
