"""Variances, covariances and correlation from exact power sums.

Rule: sums of x, y, x * x, x * y and y * y are added up as integers, proven not to wrap, and
opened; only the recipient divides, so nothing is lost to cancellation before the last step.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr
from cleanroom.sql.render import cast, constant, function

MOMENTS = ("var", "stddev", "covar", "corr")


def is_moment(expr: Expr) -> bool:
    return str(expr.value).partition("_")[0] in MOMENTS


@dataclass(frozen=True, slots=True)
class Moments:
    """Writes the SQL of moments.

    Attributes:
        total, count: the opened SUM or COUNT of an expression, as it is typed there.
        noisy: these are noisy: what can't be negative is cut off at 0.
    """

    total: Callable[[Expr], exp.Expr]
    count: Callable[[Expr], exp.Expr]
    noisy: bool = False

    def sql_of(self, expr: Expr) -> exp.Expr:
        """Write one aggregate.

        Raises:
            UnsupportedQuery: for arguments that aren't numbers.
            OverflowPossible: if a power sum may wrap.
        """
        for arg in expr.args:
            if not arg.domain.is_number:
                what = arg.domain.kind or "a computed value"
                raise UnsupportedQuery(f"{str(expr.value).upper()} of {what}")
        kind, _, which = str(expr.value).partition("_")
        x, y = expr.args[0], expr.args[-1]
        if kind == "corr":
            return self._correlation(x, y)
        count = self.count(_both(x, y))
        least = 1 if which == "samp" else 0
        divisor = exp.Mul(
            this=cast(count.copy(), "DOUBLE"),
            expression=exp.paren(exp.Sub(this=count.copy(), expression=constant(least))),
        )
        value: exp.Expr = exp.Div(this=self._spread(x, y), expression=exp.paren(divisor))
        if scale := x.domain.scale + y.domain.scale:
            value = exp.Div(this=value, expression=constant(10**scale))
        if self.noisy and kind in ("var", "stddev"):
            value = function("greatest", value, constant(0))
        if kind == "stddev":
            value = function("sqrt", value)
        return _where(exp.GT(this=count, expression=constant(least)), value)

    def _correlation(self, x: Expr, y: Expr) -> exp.Expr:
        """Write CORR; where x or y doesn't vary it is NaN, as in DuckDB."""
        spreads = [self._spread(x, x, y), self._spread(y, y, x)]
        roots = [function("sqrt", spread) for spread in spreads]
        divisor = exp.paren(exp.Mul(this=roots[0], expression=roots[1]))
        ratio = exp.Div(this=self._spread(x, y), expression=divisor)
        varies = [exp.GT(this=spread.copy(), expression=constant(0)) for spread in spreads]
        case = exp.Case(ifs=[exp.If(this=exp.and_(*varies), true=ratio)])
        case.set("default", cast(constant("nan"), "DOUBLE"))
        some = exp.GT(this=self.count(_both(x, y)), expression=constant(0))
        return _where(some, exp.paren(case))

    def _spread(self, x: Expr, y: Expr, other: Expr | None = None) -> exp.Expr:
        """Write n * SUM(x * y) - SUM(x) * SUM(y), of encoded integers and exact until here.

        Only rows count in which x, y and `other` are not NULL.
        """
        z = y if other is None else other
        product = operators.arithmetic("*", x, y)
        product = product if z in (x, y) else _known(product, z)
        mixed = exp.Mul(this=self.count(_both(x, z)), expression=self._integer(product))
        first = self._integer(_known(_known(x, y), z))
        second = self._integer(_known(_known(y, x), z))
        squares = exp.Mul(this=first, expression=second)
        return cast(exp.paren(exp.Sub(this=mixed, expression=squares)), "DOUBLE")

    def _integer(self, arg: Expr) -> exp.Expr:
        """Write a SUM as the integer that was added up."""
        total = self.total(arg)
        if not arg.domain.scale:
            return total
        return cast(exp.Mul(this=total, expression=constant(10**arg.domain.scale)), "HUGEINT")


def _known(arg: Expr, other: Expr) -> Expr:
    """Return `arg`, NULL where `other` is."""
    if other == arg or not other.domain.nullable:
        return arg
    there = operators.logical("not", (operators.is_null(other),))
    return operators.case(((there, arg),), None)


def _both(x: Expr, y: Expr) -> Expr:
    """Return something that is NULL exactly where x or y is."""
    return _known(x, y) if x.domain.nullable or not y.domain.nullable else y


def _where(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.paren(exp.Case(ifs=[exp.If(this=condition, true=value)]), copy=False)
