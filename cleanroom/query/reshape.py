"""What an outer query asks of a view, as terms and predicates on shares.

Rule: the part of SQL that terms can say: + - *, CASE in sums, comparisons and truth values.
What an owner's database would compute for a table is refused here by name.
"""

from dataclasses import dataclass
from math import prod

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.conditions import (
    And,
    CompareBits,
    CompareSums,
    Comparison,
    IsNull,
    Not,
    Or,
    Predicate,
    Term,
)
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.nodes import Computed, Derived
from cleanroom.query.columns import Bits, Measure
from cleanroom.query.connectives import connective
from cleanroom.sql import operators
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.encode import Encoding, compare_constant
from cleanroom.sql.expr import COMPARISONS, Expr
from cleanroom.sql.view import View, ViewColumn

MAX_TERMS = 64
Guards = tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Reshape:
    """Translates expressions over a view's columns.

    Attributes:
        bounds: the largest absolute value of each factor of its terms.
    """

    view: View
    bounds: dict[str, int]

    def computed(self, bits: Bits) -> Computed:
        """Return how a bits column is made.

        Raises:
            UnsupportedQuery: for an expression that terms can't say.
        """
        expr, column = bits.expr, bits.column
        if expr.op == "column":
            found = self._column(expr)
            if found.encoding is not None and self._same(found, bits):
                return Computed(column, found.name)
            if found.encoding is not None and found.encoding.kind == bits.encoding.kind == "code":
                terms = _recoded(found.name, found.encoding, bits.encoding)
                return Computed(column, terms, And(found.known) if column.nullable else None)
        if expr.domain.kind is Kind.BOOLEAN and expr.op != "column":
            truth = self.condition(expr)
            either = Or((truth, Not(truth))) if column.nullable else None
            return Computed(column, (Term(1, (), truth),), either)
        if bits.encoding.kind != "number":
            raise UnsupportedQuery("such a key or comparison over an inner aggregation")
        scale = 10 ** (bits.encoding.domain.scale - expr.domain.scale)
        terms = _times(self.number(expr, ()), scale)
        known = self.known(expr)
        return Computed(column, terms, And(known) if column.nullable else None)

    def _same(self, found: ViewColumn, bits: Bits) -> bool:
        own, asked = found.encoding, bits.encoding
        return own is not None and _layout(own) == _layout(asked)  # rows with NULL go, if need be

    def derived(self, measure: Measure, bound: int) -> Derived:
        """Return how a sum column is made."""
        guards = tuple(self.condition(c) for c in measure.conditions)
        if measure.factor is None:
            return Derived(measure.name, bound, _guarded((Term(1),), guards))
        return Derived(measure.name, bound, self.number(measure.factor, guards))

    def number(self, expr: Expr, guards: Guards) -> tuple[Term, ...]:
        """Return an expression as terms at its own scale, 0 where it or a guard isn't TRUE."""
        if expr.domain.kind is Kind.BOOLEAN and expr.op not in ("column", "literal"):
            return _guarded((Term(1, (), self.condition(expr)),), guards)
        match expr.op:
            case "literal":
                value = 0 if expr.value is None else expr.domain.low
                return _guarded((Term(value),), guards) if value else ()
            case "column":
                return _guarded(self._column(expr).terms, guards)
            case "neg":
                return _times(self.number(expr.args[0], guards), -1)
            case "+" | "-" | "*":
                return self._arithmetic(expr, (*self.known(expr), *guards))
            case "case":
                return self._case(expr.args, guards, expr.domain.scale)
            case "call" if expr.value == "coalesce":
                return self.number(operators.first_known(expr.args), guards)
        raise UnsupportedQuery(f"{expr.value or expr.op} over an inner aggregation")

    def _arithmetic(self, expr: Expr, guards: Guards) -> tuple[Term, ...]:
        left, right = expr.args
        a, b = self.number(left, guards), self.number(right, guards)
        if expr.op == "*":
            b = self.number(right, ())
            terms = tuple(
                Term(x.coefficient * y.coefficient, x.factors + y.factors, _both(x.when, y.when))
                for x in a
                for y in b
            )
        else:
            scale = expr.domain.scale
            b = _times(b, 10 ** (scale - right.domain.scale) * (-1 if expr.op == "-" else 1))
            terms = (*_times(a, 10 ** (scale - left.domain.scale)), *b)
        return _few(terms)

    def _case(self, args: tuple[Expr, ...], guards: Guards, scale: int) -> tuple[Term, ...]:
        """CASE c THEN v ELSE w: v where c is TRUE, and w less w where c is TRUE."""
        if len(args) == 1:
            return _times(self.number(args[0], guards), 10 ** (scale - args[0].domain.scale))
        condition, value, *rest = args
        chosen = (*guards, self.condition(condition))
        there = _times(self.number(value, chosen), 10 ** (scale - value.domain.scale))
        otherwise = self._case(tuple(rest), guards, scale)
        besides = _times(self._case(tuple(rest), chosen, scale), -1)
        return _few((*there, *otherwise, *besides))

    def known(self, expr: Expr) -> Guards:
        """Return what must all be TRUE for a value."""
        if expr.op == "column":
            return self._column(expr).known
        if expr.op == "case" or expr.value == "coalesce":
            return (self._present(expr),)
        return tuple(dict.fromkeys(k for arg in expr.args for k in self.known(arg)))

    def _present(self, expr: Expr) -> Predicate:
        """Return whether an expression has a value; TRUE or FALSE."""
        if expr.value == "coalesce":
            return self._present(operators.first_known(expr.args))
        if expr.op != "case":
            absent = expr.op == "literal" and expr.value is None
            return Or(()) if absent else And(self.known(expr))
        condition, value, *rest = expr.args
        truth = self.condition(condition)
        otherwise = CompareSums("=", (Term(1, (), truth),))  # FALSE or NULL
        later = self._present(Expr("case", tuple(rest), expr.domain) if len(rest) > 1 else rest[0])
        chosen = And((Not(otherwise), self._present(value)))
        return Or((chosen, And((otherwise, later))))

    def condition(self, expr: Expr) -> Predicate:
        """Return a condition as a predicate."""
        found = connective(expr, self.condition)
        if found is not None:
            return found
        match expr.op:
            case "column":
                return CompareBits("=", self._column(expr).name, 1)
            case "is_null":
                return Not(self._present(expr.args[0]))
            case op if op in COMPARISONS:
                return self._comparison(expr)
        raise UnsupportedQuery(f"{expr.value or expr.op} over an inner aggregation")

    def _comparison(self, expr: Expr) -> Predicate:
        left, right = expr.args
        op: Comparison = expr.op  # type: ignore[assignment]
        if left.op == "literal":
            left, right = right, left
            op = COMPARISONS[op]  # type: ignore[assignment]
        first, second = (self._bits(side) for side in (left, right))
        if first is not None and right.op == "literal" and right.value is not None:
            op, bound = compare_constant(op, right.value, first[1])
            return CompareBits(op, first[0], bound)
        if first is not None and second is not None and _layout(first[1]) == _layout(second[1]):
            return CompareBits(op, first[0], second[0])
        return self._on_numbers(op, left, right)

    def _bits(self, expr: Expr) -> tuple[str, Encoding] | None:
        found = self._column(expr) if expr.op == "column" else None
        return (found.name, found.encoding) if found and found.encoding else None

    def _on_numbers(self, op: Comparison, left: Expr, right: Expr) -> Predicate:
        if any(not side.domain.is_number for side in (left, right)):
            raise UnsupportedQuery("such a comparison over an inner aggregation")
        scale = max(left.domain.scale, right.domain.scale)
        a = _times(self.number(left, ()), 10 ** (scale - left.domain.scale))
        b = _times(self.number(right, ()), -(10 ** (scale - right.domain.scale)))
        reach = sum(abs(t.coefficient) * self._reach(t.factors) for t in (*a, *b))
        if reach >= LIMIT:
            what = f"a comparison over an inner aggregation may reach {reach}"
            raise OverflowPossible(f"{what}; below {LIMIT} is safe")
        known = tuple(dict.fromkeys((*self.known(left), *self.known(right))))
        return CompareSums(op, (*a, *b), And(known) if known else None)

    def _reach(self, factors: tuple[str, ...]) -> int:
        return prod(self.bounds[name] for name in factors)

    def _column(self, expr: Expr) -> ViewColumn:
        return self.view.columns[expr.reference[1]]


def column_of(name: str, column: BitsColumn, encoding: Encoding) -> tuple[tuple[Term, ...], Guards]:
    """Return a bits column of the groups as a number, and what says that it is there."""
    terms = (Term(1, (f"#{name}",)),) if encoding.kind == "number" else ()
    return terms, (Not(IsNull(name)),) if column.nullable else ()


def _recoded(name: str, own: Encoding, asked: Encoding) -> tuple[Term, ...]:
    """Return the code of a text among other declared values."""
    wanted = {value: code for code, value in enumerate(asked.domain.values)}
    codes = ((code, wanted[value]) for code, value in enumerate(own.domain.values))
    return _few(tuple(Term(new, (), CompareBits("=", name, old)) for old, new in codes if new))


def _layout(encoding: Encoding) -> tuple[object, ...]:
    domain = encoding.domain
    return encoding.kind, encoding.bits, encoding.low, domain.scale, domain.values


def _times(terms: tuple[Term, ...], factor: int) -> tuple[Term, ...]:
    return tuple(Term(t.coefficient * factor, t.factors, t.when) for t in terms)


def _guarded(terms: tuple[Term, ...], guards: Guards) -> tuple[Term, ...]:
    if not guards:
        return terms
    guard = guards[0] if len(guards) == 1 else And(guards)
    return tuple(Term(t.coefficient, t.factors, _both(t.when, guard)) for t in terms)


def _both(a: Predicate | None, b: Predicate | None) -> Predicate | None:
    return And((a, b)) if a is not None and b is not None else a or b


def _few(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if len(terms) > MAX_TERMS:
        raise UnsupportedQuery(f"more than {MAX_TERMS} terms over an inner aggregation")
    return terms
