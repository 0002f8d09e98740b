"""Comparisons of arithmetic over several owners, as sums of products on shares.

Rule: a factor is a bits column read as a number or, of an inner aggregation, a sum column. No
product may wrap, which the declared bounds prove.
"""

from dataclasses import dataclass
from math import prod

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.conditions import And, CompareBits, CompareSums, Comparison, Predicate, Term
from cleanroom.query.columns import Columns
from cleanroom.query.pieces import Monomial, take_apart
from cleanroom.sql.domain import LIMIT, TRUTH
from cleanroom.sql.encode import choose
from cleanroom.sql.expr import Expr
from cleanroom.sql.operators import is_null, logical


@dataclass(frozen=True, slots=True)
class Side:
    """Attributes: known: expressions of which each must have a value."""

    monomials: tuple[Monomial, ...]
    known: tuple[Expr, ...]


def compare_products(op: Comparison, left: Expr, right: Expr, columns: Columns) -> Predicate:
    """Compare two numbers, each of any number of owners, asking `columns` for the factors.

    Raises:
        UnsupportedQuery: for CASE across owners.
        OverflowPossible: if the comparison may reach 2^62.
    """
    first, second = (_side(expr, columns) for expr in (left, right))
    scale = max(m.scale for m in (*first.monomials, *second.monomials))
    terms = []
    reach = 0
    for side, sign in ((first, 1), (second, -1)):
        for monomial in side.monomials:
            coefficient = sign * monomial.coefficient * 10 ** (scale - monomial.scale)
            reach += abs(coefficient) * prod(e.domain.magnitude for _, e in monomial.factors)
            terms.append(Term(coefficient, _factors(monomial, columns)))
    if reach >= LIMIT:
        what = f"a comparison between owners may reach {reach}"
        raise OverflowPossible(f"{what}; below {LIMIT} is safe")
    known = tuple(_present(e, columns) for e in dict.fromkeys((*first.known, *second.known)))
    return CompareSums(op, tuple(terms), And(known) if known else None)


def _side(expr: Expr, columns: Columns) -> Side:
    pieces = take_apart(expr, columns.placement)
    if len(pieces) != 1 or pieces[0].guards:
        raise UnsupportedQuery("CASE over columns of several owners inside a comparison")
    return Side(pieces[0].monomials, tuple(e for _, e in pieces[0].known))


def _factors(monomial: Monomial, columns: Columns) -> tuple[str, ...]:
    names = []
    for source, expr in monomial.factors:
        if columns.placement.sources[source].is_view:
            names.append(columns.measure(source, expr, ()))
        else:
            names.append(f"#{columns.compared(expr, choose(expr.domain)).column.name}")
    return tuple(names)


def _present(expr: Expr, columns: Columns) -> Predicate:
    known = logical("not", (is_null(expr),))
    return CompareBits("=", columns.compared(known, choose(TRUTH)).column.name, 1)
