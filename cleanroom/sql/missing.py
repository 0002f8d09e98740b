"""Expressions over a side of a join whose row may be missing.

Rule: `optional(e)` is e where that side has a row and NULL elsewhere; its `value` numbers the
side. All that follows from a missing side is decided here, from the expression alone.
"""

from collections.abc import Collection
from dataclasses import replace

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.expr import COMPARISONS, Expr, columns, rewrite, walk

_ARITHMETIC = ("+", "-", "*", "/", "//", "%")


def optional(expr: Expr, side: int) -> Expr:
    """Return the expression as it is seen from beyond an outer join.

    Operators that are NULL whenever an operand is are seen through: only operands are wrapped.
    """
    domain = replace(expr.domain, nullable=True)
    if expr.op in (*_ARITHMETIC, *COMPARISONS, "neg", "not"):
        args = tuple(optional(arg, side) if any(columns(arg)) else arg for arg in expr.args)
        return Expr(expr.op, args, domain, expr.value)
    return Expr("optional", (expr,), domain, side)


def anchored(expr: Expr, anchor: Expr) -> Expr:
    """Tie a constant to a column of its relation: beyond an outer join it is none any more."""
    if any(columns(expr)):
        return expr
    unknown = operators.is_null(anchor)
    always = operators.logical("or", (unknown, operators.logical("not", (unknown,))))
    return operators.case(((always, expr),), None)


def sides(expr: Expr) -> frozenset[int]:
    """Return the sides that may be missing in an expression."""
    return frozenset(n.value for n in walk(expr) if n.op == "optional" and isinstance(n.value, int))


def bare(expr: Expr) -> Expr:
    """Return the expression inside of `optional`, however often it is wrapped."""
    while expr.op == "optional":
        expr = expr.args[0]
    return expr


def present(expr: Expr, required: Collection[int]) -> Expr:
    """Take away `optional` for sides that are there in every row that counts.

    COALESCE of what then is never NULL goes too.
    """

    def change(node: Expr) -> Expr | None:
        if node.op == "optional" and node.value in required:
            return present(node.args[0], required)
        if node.op == "call" and node.value == "coalesce" and sides(node.args[0]):
            first = present(node.args[0], required)
            return None if first.domain.nullable else first
        return None

    return rewrite(expr, change) if required else expr


def there(expr: Expr) -> Expr:
    """Return the expression where no side is missing."""
    return present(expr, sides(expr))


def always_null(expr: Expr, side: int) -> bool:
    """Whether the expression is NULL in every row where the side is missing."""
    match expr.op:
        case "optional" if expr.value == side:
            return True
        case "literal":
            return expr.value is None
        case "column" | "is_null" | "key" | "aggregate":
            return False
        case "case":
            values = (*expr.args[1:-1:2], expr.args[-1])
            return all(always_null(value, side) for value in values)
        case "and" | "or":
            return all(always_null(arg, side) for arg in expr.args)
        case "call" if expr.value == "coalesce":
            return all(always_null(arg, side) for arg in expr.args)
    return any(always_null(arg, side) for arg in expr.args)


def never_true(expr: Expr, side: int) -> bool:
    """Whether a condition is FALSE or NULL in every row where the side is missing."""
    match expr.op:
        case "and":
            return any(never_true(arg, side) for arg in expr.args)
        case "or":
            return all(never_true(arg, side) for arg in expr.args)
        case "not" if expr.args[0].op == "is_null":
            return always_null(expr.args[0].args[0], side)
        case "literal":
            return expr.value is not True
    return always_null(expr, side)


def without(expr: Expr, side: int) -> Expr:
    """Return the constant that the expression is where the side is missing.

    Raises:
        UnsupportedQuery: if only DuckDB could compute it.
    """
    if always_null(expr, side):
        return operators.literal(None)
    if expr.op == "literal":
        return expr
    args = tuple(without(arg, side) for arg in expr.args)
    found = _constant(expr, args)
    if found is None or found.op != "literal":
        what = expr.value if expr.op in ("call", "cast") else expr.op.upper()
        raise UnsupportedQuery(f"{what} over columns of which an outer join makes some NULL")
    return found


def _constant(expr: Expr, args: tuple[Expr, ...]) -> Expr | None:
    values = [arg.value for arg in args]
    match expr.op:
        case "is_null":
            return operators.literal(values[0] is None)
        case "case":
            return _branch(args)
        case "call" if expr.value == "coalesce":
            return next((arg for arg in args if arg.value is not None), operators.literal(None))
        case "and" | "or":
            decided = expr.op == "or"
            known = None if None in values else not decided
            return operators.literal(decided if decided in values else known)
        case "column":
            return None
    return operators.literal(None) if None in values else _strict(expr, args)


def _strict(expr: Expr, args: tuple[Expr, ...]) -> Expr | None:
    values = [arg.value for arg in args]
    match expr.op:
        case "not":
            return operators.literal(not values[0])
        case "neg":
            return operators.negative(args[0])
        case "in":
            return operators.literal(values[0] in values[1:])
        case op if op in COMPARISONS:
            return operators.compare(op, *args)
        case op if op in _ARITHMETIC:
            return operators.arithmetic(op, *args)
    return None


def _branch(args: tuple[Expr, ...]) -> Expr:
    pairs = zip(args[:-1:2], args[1:-1:2], strict=True)
    return next((value for when, value in pairs if when.value is True), args[-1])
