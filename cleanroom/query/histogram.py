"""Quantiles from a histogram: what the recipient computes where it has opened one.

Rule: SQL over the table `opened`, whose rows are groups divided by value as well; the result has a
row for each group, with the columns that the final SQL expects.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from cleanroom.plan.grouping import Quantile
from cleanroom.plan.plan import OpenedColumn
from cleanroom.sql.render import cast, constant, function

_UP_TO, _ALL = "up_to", "all_values"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Attributes: keys: of the groups; value: the column whose values divide them."""

    keys: tuple[str, ...]
    totals: tuple[OpenedColumn, ...]
    value: OpenedColumn
    quantiles: tuple[Quantile, ...]

    def groups(self) -> exp.Expr:
        """Write the table of whole groups."""
        select = exp.Select().from_(self._counted().subquery("counted", copy=False), copy=False)
        keys = [_column(name) for name in self.keys]
        select.select(*keys, *self._totals(), *self._found(), copy=False)
        if keys:
            select.group_by(*(key.copy() for key in keys), copy=False)
        return select.subquery("opened", copy=False)

    def _counted(self) -> exp.Select:
        """Write the rows with how many values there are up to each one's, and in its group."""
        (weight,) = {quantile.weight for quantile in self.quantiles}
        order = exp.Ordered(this=_column(self.value.name), nulls_first=False)
        rows = exp.WindowSpec(
            kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"
        )
        up_to = self._over(weight)
        up_to.set("order", exp.Order(expressions=[order]))
        up_to.set("spec", rows)
        counts = exp.alias_(up_to, _UP_TO), exp.alias_(self._over(weight), _ALL)
        return exp.Select().select(exp.Star(), *counts).from_(exp.table_("opened"))

    def _over(self, weight: str) -> exp.Window:
        total = function("sum", _column(weight))
        return exp.Window(this=total, partition_by=[_column(name) for name in self.keys])

    def _totals(self) -> Iterator[exp.Expr]:
        for total in self.totals:
            value = function("coalesce", function("sum", _column(total.name)), constant(0))
            yield exp.alias_(cast(value, total.sql_type), total.name, quoted=True)

    def _found(self) -> Iterator[exp.Expr]:
        up_to, every = _column(_UP_TO), _column(_ALL)
        for quantile in self.quantiles:
            if quantile.kind == "middle":
                one = exp.Add(this=every, expression=constant(1))
                lower = exp.IntDiv(this=exp.paren(one), expression=constant(2))
                upper = exp.Add(
                    this=exp.IntDiv(this=every, expression=constant(2)), expression=constant(1)
                )
                value: exp.Expr = exp.Add(
                    this=self._least(self._integer(), up_to, lower),
                    expression=self._least(self._integer(), up_to, upper),
                )
            else:
                share = exp.Mul(this=every, expression=constant(quantile.numerator))
                reached = exp.Mul(this=up_to, expression=constant(quantile.denominator))
                value = self._least(_column(self.value.name), reached, share)
            yield exp.alias_(value, quantile.name, quoted=True)

    def _least(self, value: exp.Expr, reached: exp.Expr, wanted: exp.Expr) -> exp.Expr:
        """Write the least value, of those that occur, that has reached what is wanted."""
        enough = exp.GTE(this=reached.copy(), expression=wanted.copy())
        occurs = exp.GT(this=_column(_UP_TO), expression=constant(0))
        where = exp.Where(this=exp.and_(enough, occurs))
        return exp.Filter(this=function("min", value), expression=where)

    def _integer(self) -> exp.Expr:
        unit = cast(constant(10**self.value.scale), "DECIMAL(19,0)")
        return cast(exp.Mul(this=_column(self.value.name), expression=unit), "HUGEINT")


def _column(name: str) -> exp.Expr:
    return exp.column(name, quoted=True)


def same_weight(quantiles: Sequence[Quantile]) -> bool:
    """Whether all are of the same values, so that one histogram has them all."""
    return len({(quantile.weight, quantile.column) for quantile in quantiles}) == 1
