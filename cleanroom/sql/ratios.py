"""Comparisons of quotients, multiplied out: what is compared on shares is never divided.

Rule: a divisor must be known to be positive; then a / b < c is a < c * b, and exactly so.
"""

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.expr import COMPARISONS, Expr, rewrite, walk
from cleanroom.sql.operators import arithmetic, compare, literal, negative


def cleared(expr: Expr) -> Expr:
    """Return a condition without the divisions in its comparisons.

    Raises:
        UnsupportedQuery: for a divisor that isn't known to be positive.
        OverflowPossible: if a product may not fit.
    """

    def change(node: Expr) -> Expr | None:
        if node.op not in COMPARISONS or not any(_divides(arg) for arg in node.args):
            return None
        (a, below_a), (b, below_b) = (_fraction(arg) for arg in node.args)
        return compare(node.op, _times(a, below_b), _times(b, below_a))

    return rewrite(expr, change)


def _divides(expr: Expr) -> bool:
    return any(node.op == "/" for node in walk(expr))


def _fraction(expr: Expr) -> tuple[Expr, Expr]:
    """Return numerator and denominator."""
    one = literal(1)
    if not _divides(expr):
        return expr, one
    if expr.op == "neg":
        above, below = _fraction(expr.args[0])
        return negative(above), below
    if expr.op not in ("+", "-", "*", "/"):
        raise UnsupportedQuery(f"/ inside of {expr.value or expr.op} on rows")
    (a, below_a), (b, below_b) = (_fraction(arg) for arg in expr.args)
    if expr.op == "*":
        return arithmetic("*", a, b), _times(below_a, below_b)
    if expr.op == "/":
        if b.domain.kind is None or b.domain.low <= 0 or below_b != one:
            what = "/ on rows by what may be zero or less"
            raise UnsupportedQuery(what, remedy="Multiply both sides of the comparison instead.")
        return a, _times(below_a, b)
    crossed = _times(a, below_b), _times(b, below_a)
    return arithmetic(expr.op, *crossed), _times(below_a, below_b)


def _times(a: Expr, b: Expr) -> Expr:
    one = literal(1)
    if one in (a, b):
        return b if a == one else a
    return arithmetic("*", a, b)
