"""What every translation of conditions shares: AND, OR, NOT, TRUE, FALSE and IN."""

from collections.abc import Callable

from cleanroom.plan.conditions import And, Not, Or, Predicate
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr


def connective(expr: Expr, lower: Callable[[Expr], Predicate]) -> Predicate | None:
    """Return a connective over its lowered operands; None for anything else."""
    match expr.op:
        case "and":
            return And(tuple(lower(arg) for arg in expr.args))
        case "or":
            return Or(tuple(lower(arg) for arg in expr.args))
        case "not":
            return Not(lower(expr.args[0]))
        case "literal" if isinstance(expr.value, bool):
            return And(()) if expr.value else Or(())
        case "in":
            arg, *options = expr.args
            return Or(tuple(lower(operators.compare("=", arg, option)) for option in options))
    return None
