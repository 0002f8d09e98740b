"""What a sum adds up: its columns one by one, each to be tested as if it were asked for alone.

Rule: a constant, or a second column, is there for everybody, so it hides how few persons have the
first one. A summand is an expression of one column or product, with the conditions it is under.
"""

from collections.abc import Iterator
from itertools import product

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import optional

MOST = 16  # summands of one aggregate: each is tested by itself


def summands(expr: Expr) -> tuple[Expr, ...]:
    """Return what is added up, without constants; `expr` alone if it is one summand.

    Raises:
        UnsupportedQuery: for more than 16 summands.
    """
    found = tuple(dict.fromkeys(_summands(expr)))
    if len(found) > MOST:
        what = f"a SUM of more than {MOST} columns and products, where each is tested"
        raise UnsupportedQuery(what, remedy="Ask for SUM of each column, and add up the totals.")
    return found


def _summands(expr: Expr) -> tuple[Expr, ...]:
    match expr.op:
        case "literal":
            return ()
        case "+" | "-" if expr.domain.is_number and expr.args[0].domain.is_number:
            return tuple(part for arg in expr.args for part in summands(arg))
        case "*":
            return _product(expr)
        case "case":
            return _case(expr)
        case "call" if expr.value == "coalesce":
            return _coalesce(expr)
        case "neg" | "optional":
            (inner,) = expr.args
            parts = summands(inner)
            if parts == (inner,):
                return (expr,)
            side = expr.value
            if expr.op == "optional" and isinstance(side, int):
                return tuple(optional(part, side) for part in parts)
            return parts
    return tuple(_function(expr))


def _product(expr: Expr) -> tuple[Expr, ...]:
    """Multiply out; a constant factor changes nothing."""
    left, right = expr.args
    if any(arg.op == "literal" for arg in expr.args):
        factor = right if left.op == "literal" else left
        parts = summands(factor)
        return (expr,) if parts == (factor,) else parts
    first, second = summands(left), summands(right)
    if (first, second) == ((left,), (right,)):
        return (expr,)
    found = [operators.arithmetic("*", a, b) for a, b in product(first, second)]
    return (*found, *first, *second)


def _case(expr: Expr) -> tuple[Expr, ...]:
    """Return each branch under its conditions; a constant says how many rows reach its branch."""
    places = (*range(1, len(expr.args) - 1, 2), len(expr.args) - 1)
    used = [i for i in places if expr.args[i].op != "literal" or expr.args[i].value]
    if len(used) == 1:
        value = expr.args[used[0]]
        if value.op == "literal" or summands(value) == (value,):
            return (expr,)
    found = []
    for place in used:
        value = expr.args[place]
        parts = (value,) if value.op == "literal" else summands(value)
        found += [_branch(expr, place, part) for part in parts]
    return tuple(found)


def _branch(expr: Expr, place: int, value: Expr) -> Expr:
    """Return a CASE with a value in one branch and NULL in all others."""
    nothing = operators.literal(None)
    last = len(expr.args) - 1
    pairs = tuple((expr.args[i - 1], value if i == place else nothing) for i in range(1, last, 2))
    return operators.case(pairs, value if place == last else nothing)


def _coalesce(expr: Expr) -> tuple[Expr, ...]:
    """Return each argument where those before it are NULL; constants only fill in."""
    first, *others = expr.args
    if not any(arg.op != "literal" or arg.value for arg in others):
        parts = summands(first)
        return (expr,) if parts == (first,) else parts
    chosen, found = operators.first_known(expr.args), list(summands(first))
    for index, arg in enumerate(others, 1):
        place = 2 * index + 1 if index < len(others) else len(chosen.args) - 1
        found += [_branch(chosen, place, part) for part in summands(arg)]
    return tuple(found)


def _function(expr: Expr) -> Iterator[Expr]:
    """Yield a function's value and, of sums inside, each summand."""
    yield expr
    for arg in expr.args:
        for number in _numbers(arg):
            parts = summands(number)
            if not arg.domain.is_number or parts != (number,):
                yield from parts


def _numbers(expr: Expr) -> Iterator[Expr]:
    """Yield the numbers that something is computed from; conditions aren't."""
    if expr.domain.is_number:
        yield expr
    elif expr.op != "column" and expr.domain.kind != "BOOLEAN":
        for arg in expr.args:
            yield from _numbers(arg)
