"""The SQL types of a contract and how their values map to bounded integers.

Every protected value travels as an integer: DECIMAL scaled, DATE as days and TIMESTAMP as
microseconds since 1970, BOOLEAN as 0/1, TEXT as an index into its declared values or as bytes.
"""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Bound: TypeAlias = int | Decimal | dt.date | dt.datetime

_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}),\s*(\d{1,2})\)")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
_MOST_DIGITS = 18
_EPOCH = dt.date(1970, 1, 1)
_EPOCH_TIME = dt.datetime(1970, 1, 1)
_DAYS = ((dt.date(1, 1, 1) - _EPOCH).days, (dt.date(9999, 12, 31) - _EPOCH).days)
_DAY_US = 86_400_000_000


class Kind(StrEnum):
    """The families of SQL types that a contract may declare."""

    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class SqlType:
    """A declared type; `precision` and `scale` are meaningful for DECIMAL only."""

    kind: Kind
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, text: str) -> "SqlType":
        """Read 'INTEGER', 'DECIMAL(12,2)', ...

        Raises:
            ValueError: for anything else, naming what is allowed.
        """
        if match := _DECIMAL.fullmatch(text):
            precision, scale = int(match[1]), int(match[2])
            if not scale <= precision <= 18 or precision == 0:
                raise ValueError(f"{text}: precision may be 1 to 18 and scale 0 to the precision")
            return cls(Kind.DECIMAL, precision, scale)
        if text in Kind.__members__ and text != Kind.DECIMAL:
            return cls(Kind(text))
        allowed = "INTEGER, DECIMAL(p,s), BOOLEAN, DATE, TIMESTAMP, TEXT"
        raise ValueError(f"unknown type {text!r}; allowed: {allowed}")

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"DECIMAL({self.precision},{self.scale})"
        return self.kind.value

    def widest(self) -> tuple[int, int]:
        """Return the smallest and largest encoded value of this type, TEXT excepted."""
        match self.kind:
            case Kind.BOOLEAN:
                return 0, 1
            case Kind.DECIMAL:
                return -(10**self.precision) + 1, 10**self.precision - 1
            case Kind.DATE:
                return _DAYS
            case Kind.TIMESTAMP:
                return _DAYS[0] * _DAY_US, (_DAYS[1] + 1) * _DAY_US - 1
            case Kind.INTEGER:
                return -(2**63), 2**63 - 1
            case Kind.TEXT:
                raise ValueError("TEXT has no numeric range")

    def encode(self, value: object) -> int:
        """Map one bound or literal to its encoded integer; text is read as documents write it.

        Raises:
            ValueError: if the value isn't of this type, or has more digits than its scale.
        """
        if isinstance(value, str):
            value = self._read(value)
        match self.kind, value:
            case Kind.BOOLEAN, bool():
                return int(value)
            case Kind.INTEGER, int() if not isinstance(value, bool):
                return value
            case Kind.DECIMAL, int() | float() | Decimal() if not isinstance(value, bool):
                return self._scaled(Decimal(str(value)))
            case Kind.DATE, dt.date() if not isinstance(value, dt.datetime):
                return (value - _EPOCH).days
            case Kind.TIMESTAMP, dt.datetime():
                if value.tzinfo is not None:
                    raise ValueError("a TIMESTAMP has no time zone: write it without an offset")
                return (value - _EPOCH_TIME) // dt.timedelta(microseconds=1)
            case Kind.TIMESTAMP, dt.date():
                return (value - _EPOCH).days * _DAY_US
        raise ValueError(f"{value!r} is not a value of type {self}")

    def decode(self, encoded: int) -> Bound:
        """Map an encoded integer back to the value it stands for, TEXT excepted.

        Raises:
            ValueError: if no value of this type is encoded so.
        """
        low, high = self.widest()
        if not low <= encoded <= high:
            raise ValueError(f"{encoded} encodes no value that fits {self}")
        match self.kind:
            case Kind.BOOLEAN:
                return bool(encoded)
            case Kind.DECIMAL:
                return Decimal(encoded).scaleb(-self.scale)
            case Kind.DATE:
                return _EPOCH + dt.timedelta(days=encoded)
            case Kind.TIMESTAMP:
                return _EPOCH_TIME + dt.timedelta(microseconds=encoded)
            case _:
                return encoded

    def _read(self, text: str) -> object:
        match self.kind:
            case Kind.DECIMAL if _NUMBER.fullmatch(text):
                return Decimal(text)
            case Kind.DATE:
                return dt.date.fromisoformat(text)
            case Kind.TIMESTAMP:
                return dt.datetime.fromisoformat(text)
            case _:
                return text

    def _scaled(self, value: Decimal) -> int:
        if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
            raise ValueError(f"{value} does not fit {self}")
        scaled = value.scaleb(self.scale)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.scale} decimal places")
        return int(scaled)
