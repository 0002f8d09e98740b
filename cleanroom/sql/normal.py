"""Conditions as conjuncts, with as many of them as SQL's logic allows.

Rule: equivalences that hold with NULLs too. An equality that every branch of an OR repeats joins
tables just as one that is written once.
"""

from collections.abc import Iterator

from cleanroom.sql.expr import Expr, conjuncts
from cleanroom.sql.operators import condition, logical


def conjuncts_of(expr: Expr) -> Iterator[Expr]:
    """Yield the conjuncts of a condition: (a AND b) OR (a AND c) is a AND (b OR c)."""
    for part in conjuncts(condition(expr)):
        if part.op != "or":
            yield part
            continue
        branches = [tuple(conjuncts(branch)) for branch in part.args]
        common = [c for c in dict.fromkeys(branches[0]) if all(c in b for b in branches)]
        yield from common
        rest = [tuple(c for c in branch if c not in common) for branch in branches]
        if all(rest):  # otherwise a branch is no more than what is common
            yield logical("or", tuple(map(_all, rest))) if common else part


def _all(parts: tuple[Expr, ...]) -> Expr:
    return parts[0] if len(parts) == 1 else logical("and", parts)
