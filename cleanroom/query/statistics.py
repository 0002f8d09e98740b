"""Aggregates that need more than totals: distinct values and quantiles, each registered once."""

from dataclasses import dataclass, field, replace
from typing import Literal

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.grouping import Distinct, Quantile
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.totals import Totals
from cleanroom.sql.aggregates import share_of
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.expr import Expr

MOST = 1 << 31  # distinct values in a group: no more than rows


@dataclass(slots=True)
class Statistics:
    """The register of an aggregation's distinct values and quantiles."""

    columns: Columns
    totals: Totals
    distincts: dict[tuple[str, Expr], Distinct] = field(default_factory=dict)
    quantiles: dict[Expr, tuple[Quantile, Bits]] = field(default_factory=dict)

    def distinct(self, kind: Literal["count", "sum"], arg: Expr, meaning: str) -> Distinct:
        """Register COUNT or SUM (DISTINCT arg).

        Raises:
            OverflowPossible: if the sum of all possible values may not fit.
        """
        key = (kind, arg)
        if key not in self.distincts:
            self._check(arg, meaning, numbers=kind == "sum")
            if kind == "count":
                column, bound = self.columns.key(arg, opened=False).column, MOST
            else:
                column = self.columns.ordered(arg).column
                bound = arg.domain.magnitude * min(arg.domain.size, MOST)
            if bound >= LIMIT:
                raise OverflowPossible(f"{meaning} may reach {bound}; below {LIMIT} is safe")
            name = f"u{len(self.distincts)}"
            self.distincts[key] = Distinct(name, kind, column.name, bound)
        return self.distincts[key]

    def quantile(self, expr: Expr, of: str) -> tuple[Quantile, Bits]:
        """Register MEDIAN or QUANTILE_DISC: its name and the column of its values.

        Args:
            of: the meaning of its argument.
        """
        if expr not in self.quantiles:
            arg = expr.args[0]
            self._check(arg, f"{str(expr.value).upper()}({of})", numbers=expr.value == "median")
            bits = self.columns.ordered(arg)
            weight = self.totals.count(arg, f"COUNT({of})").name
            column, name = bits.column.name, f"q{len(self.quantiles)}"
            if expr.value == "median":
                bound = 2 * arg.domain.magnitude
                found = Quantile(name, "middle", column, weight, 1, 2, bound)
            else:
                share = share_of(expr)
                found = Quantile(
                    name, "at", column, weight, share.numerator, share.denominator, 0
                )
            self.quantiles[expr] = found, bits
        return self.quantiles[expr]

    def ranked(self, rows: int) -> tuple[Quantile, ...]:
        """Return all quantiles over at most `rows` joined rows.

        Raises:
            OverflowPossible: if a rank may not fit.
        """
        return tuple(_fitting(quantile, rows) for quantile, _ in self.quantiles.values())

    def _check(self, arg: Expr, meaning: str, *, numbers: bool) -> None:
        if self.columns.placement.source_of(arg) is None or arg.op == "literal":
            raise UnsupportedQuery(f"{meaning}: anything but columns of one owner")
        if arg.domain.kind is None or (numbers and not arg.domain.is_number):
            raise UnsupportedQuery(f"{meaning} of {arg.domain.kind or 'a computed value'}")


def _fitting(quantile: Quantile, rows: int) -> Quantile:
    """Bring the least value, at 0, to a part that the first value reaches; prove the range."""
    if quantile.numerator == 0:
        quantile = replace(quantile, numerator=1, denominator=max(rows, 2))
    reach = 2 * quantile.denominator * rows
    if reach >= LIMIT:
        raise OverflowPossible(
            f"a quantile at a multiple of 1 / {quantile.denominator} among {rows} joined rows "
            f"may reach {reach}; below {LIMIT} is safe"
        )
    return quantile
