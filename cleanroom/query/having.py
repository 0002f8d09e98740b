"""HAVING on shares: conditions on totals, multiplied out so that nothing is divided."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm, prod

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.conditions import (
    And,
    CompareBits,
    CompareSums,
    Comparison,
    IsNull,
    Not,
    Predicate,
    Term,
)
from cleanroom.plan.grouping import Distinct
from cleanroom.query.connectives import connective
from cleanroom.query.totals import Total
from cleanroom.sql.aggregates import is_value
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.encode import Encoding, compare_constant
from cleanroom.sql.expr import COMPARISONS, Expr

MAX_PRODUCTS = 64


@dataclass(frozen=True, slots=True)
class Ratio:
    """coefficient * product of totals / product of counts."""

    coefficient: Fraction
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Having:
    """Lowers conditions on aggregates.

    Attributes:
        count, sum, distinct: register the totals of an aggregate, or COUNT(DISTINCT).
        certain: whether an aggregate's argument has a value in some row of every group.
        bits: the opened or compared column of a key, MIN, MAX or quantile, with its encoding.
        rows: bound on joined rows.
    """

    count: Callable[[Expr], Total]
    sum: Callable[[Expr], Total]
    distinct: Callable[[Expr], Distinct]
    certain: Callable[[Expr], bool]
    bits: Callable[[Expr], tuple[str, Encoding]]
    rows: int
    bounds: dict[str, int] = field(default_factory=dict)

    def lower(self, expr: Expr) -> Predicate:
        """Lower one condition.

        Raises:
            UnsupportedQuery: for what can't be computed on shares.
            OverflowPossible: if a product of totals may not fit.
        """
        found = connective(expr, self.lower)
        if found is not None:
            return found
        match expr.op:
            case "is_null":
                return self._is_null(expr.args[0])
            case op if op in COMPARISONS:
                return self._comparison(expr)
        raise UnsupportedQuery(f"{expr.value or expr.op} in HAVING")

    def _is_null(self, arg: Expr) -> Predicate:
        if _is_bits(arg):
            return IsNull(self.bits(arg)[0])
        if arg.op == "aggregate" and arg.value in ("sum", "avg"):
            return CompareSums("=", (Term(1, (self._count(arg),)),))
        raise UnsupportedQuery("IS NULL in HAVING on anything but one aggregate or key")

    def _comparison(self, expr: Expr) -> Predicate:
        left, right = expr.args
        op: Comparison = expr.op  # type: ignore[assignment]
        if _is_bits(right) and not _is_bits(left):
            left, right = right, left
            op = COMPARISONS[op]  # type: ignore[assignment]
        if not _is_bits(left):
            return self._on_totals(op, left, right)
        name, encoding = self.bits(left)
        numbers = left.domain.is_number and encoding.kind == "number"
        if right.op == "literal" and right.value is not None:
            op, bound = compare_constant(op, right.value, encoding)
            return CompareBits(op, name, bound)
        if _is_bits(right):
            other, theirs = self.bits(right)
            same = (encoding.kind, encoding.low, encoding.bits, encoding.domain.scale)
            if same == (theirs.kind, theirs.low, theirs.bits, theirs.domain.scale):
                return CompareBits(op, name, other)
        if numbers:
            return self._on_totals(op, left, right)
        raise UnsupportedQuery("a key, MIN or MAX in HAVING compared with anything but a constant")

    def _on_totals(self, op: Comparison, left: Expr, right: Expr) -> Predicate:
        known: dict[Predicate, None] = {}
        ratios = [*self._ratios(left, known), *_negated(self._ratios(right, known))]
        below = tuple(dict.fromkeys(name for r in ratios for name in r.below))
        powers = {n: max(r.below.count(n) for r in ratios) for n in below}
        whole = lcm(*(r.coefficient.denominator for r in ratios)) if ratios else 1
        terms = []
        for ratio in ratios:
            extra = [n for n in below for _ in range(powers[n] - ratio.below.count(n))]
            terms.append(Term(int(ratio.coefficient * whole), (*ratio.above, *extra)))
        reach = sum(abs(t.coefficient) * prod(self.bounds[n] for n in t.factors) for t in terms)
        if reach >= LIMIT:
            what = f"a comparison in HAVING may reach {reach}; below {LIMIT} is safe"
            raise OverflowPossible(what)
        there = tuple(known)
        condition = (there[0] if len(there) == 1 else And(there)) if there else None
        return CompareSums(op, tuple(terms), condition)

    def _ratios(self, expr: Expr, known: dict[Predicate, None]) -> list[Ratio]:
        match expr.op:
            case "literal" if isinstance(expr.value, int | Decimal):
                return [Ratio(Fraction(expr.value))]
            case "aggregate" | "key" if _is_bits(expr):
                return [self._bits_number(expr, known)]
            case "aggregate":
                return [self._aggregate(expr, known)]
            case "neg":
                return _negated(self._ratios(expr.args[0], known))
            case "+":
                return [r for arg in expr.args for r in self._ratios(arg, known)]
            case "-":
                left, right = (self._ratios(arg, known) for arg in expr.args)
                return [*left, *_negated(right)]
            case "*":
                left, right = (self._ratios(arg, known) for arg in expr.args)
                if len(left) * len(right) > MAX_PRODUCTS:
                    raise UnsupportedQuery(f"HAVING with more than {MAX_PRODUCTS} products")
                return [
                    Ratio(a.coefficient * b.coefficient, a.above + b.above, a.below + b.below)
                    for a in left
                    for b in right
                ]
            case "/":
                return self._divided(expr, known)
        raise UnsupportedQuery(f"{expr.value or expr.op} in a comparison of HAVING")

    def _bits_number(self, expr: Expr, known: dict[Predicate, None]) -> Ratio:
        """Return a key, MIN, MAX or quantile as a number."""
        name, encoding = self.bits(expr)
        domain = encoding.domain
        if encoding.kind != "number" or not domain.is_number:
            raise UnsupportedQuery(f"arithmetic with {domain.kind} in HAVING")
        if expr.domain.nullable:
            known[Not(IsNull(name))] = None
        self.bounds[f"#{name}"] = domain.magnitude
        return Ratio(Fraction(1, 10**domain.scale), (f"#{name}",))

    def _divided(self, expr: Expr, known: dict[Predicate, None]) -> list[Ratio]:
        left, right = (self._ratios(arg, known) for arg in expr.args)
        (divisor,) = right if len(right) == 1 else (None,)
        is_count = _counts(expr.args[1])
        if divisor is None or divisor.coefficient <= 0 or not (is_count or not divisor.above):
            raise UnsupportedQuery("division in HAVING by anything but COUNT or a constant > 0")
        known.update(dict.fromkeys(map(_positive, divisor.above)))
        return [
            Ratio(r.coefficient / divisor.coefficient, r.above, r.below + divisor.above)
            for r in left
        ]

    def _aggregate(self, expr: Expr, known: dict[Predicate, None]) -> Ratio:
        if expr.value == "count":
            return Ratio(Fraction(1), (self._count(expr),))
        if expr.value == "count_distinct":
            values = self.distinct(expr)
            self.bounds[values.name] = values.bound
            return Ratio(Fraction(1), (values.name,))
        if expr.value not in ("sum", "avg"):
            raise UnsupportedQuery(f"{str(expr.value).upper()} in HAVING")
        total = self.sum(expr)
        self.bounds[total.name] = total.bound(self.rows)
        scale = Fraction(1, 10 ** expr.args[0].domain.scale)
        if expr.value == "sum" and self.certain(expr):
            return Ratio(scale, (total.name,))
        count = self._count(expr)
        if not self.certain(expr):
            known[_positive(count)] = None
        return Ratio(scale, (total.name,), (count,) if expr.value == "avg" else ())

    def _count(self, expr: Expr) -> str:
        total = self.count(expr)
        self.bounds[total.name] = total.bound(self.rows)
        return total.name


def _positive(name: str) -> Predicate:
    return CompareSums(">", (Term(1, (name,)),))


def _counts(expr: Expr) -> bool:
    """Whether an expression is a number of rows: never negative, and zero where a sum is NULL."""
    if expr.op == "key":
        return expr.domain.kind is Kind.INTEGER and expr.domain.low >= 0
    return expr.op == "aggregate" and expr.value == "count"


def _is_bits(expr: Expr) -> bool:
    return expr.op == "key" or is_value(expr)


def _negated(ratios: list[Ratio]) -> list[Ratio]:
    return [Ratio(-r.coefficient, r.above, r.below) for r in ratios]
