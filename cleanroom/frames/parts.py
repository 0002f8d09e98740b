"""Parts of dates and of texts, under `.dt` and `.str` of an expression.

Rule: only what the functions of a query take.
"""

from typing import TYPE_CHECKING

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.frames.values import value_of

if TYPE_CHECKING:
    from cleanroom.frames.expression import Expression


class Dates:
    """Parts of a DATE or TIMESTAMP: `col("born").dt.year()`."""

    def __init__(self, of: "Expression") -> None:
        self._of = of

    def year(self) -> "Expression":
        return self._part("YEAR")

    def quarter(self) -> "Expression":
        return self._part("QUARTER")

    def month(self) -> "Expression":
        return self._part("MONTH")

    def week(self) -> "Expression":
        return self._part("WEEK")

    def day(self) -> "Expression":
        return self._part("DAY")

    def weekday(self) -> "Expression":
        """Return the day of the week: 0 is Sunday."""
        return self._part("DAYOFWEEK")

    def hour(self) -> "Expression":
        return self._part("HOUR")

    def minute(self) -> "Expression":
        return self._part("MINUTE")

    def truncate(self, unit: str) -> "Expression":
        """Cut to the start of its year, quarter, month, week or day."""
        if not unit.isalpha():
            raise UnsupportedQuery("truncate to what is no unit of time")
        return self._of.called(exp.TimestampTrunc, unit=exp.Var(this=unit.upper()))

    def _part(self, name: str) -> "Expression":
        tree = exp.Extract(this=exp.Var(this=name), expression=self._of.tree)
        return self._of.made(tree)


class Texts:
    """Parts of a text: `col("name").str.lower()`."""

    def __init__(self, of: "Expression") -> None:
        self._of = of

    def lower(self) -> "Expression":
        return self._of.called(exp.Lower)

    def upper(self) -> "Expression":
        return self._of.called(exp.Upper)

    def len_chars(self) -> "Expression":
        """Return how many characters it has."""
        return self._of.called(exp.Length)

    def slice(self, offset: int, length: int) -> "Expression":
        """Return a part of so many characters, from 0."""
        return self._of.called(exp.Substring, start=value_of(offset + 1), length=value_of(length))
