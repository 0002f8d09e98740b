"""INSECURE: plain rows of a plan, and the truth of conditions on them, by the shortest code."""

from collections.abc import Iterable
from typing import TypeAlias

from cleanroom.plan.conditions import (
    And,
    CompareBits,
    CompareSums,
    IsNull,
    Not,
    Or,
    Predicate,
    Term,
)
from cleanroom.plan.leaf import BitsColumn

Row: TypeAlias = dict[str, int | None]


def groups_of(rows: list[Row], keys: tuple[str, ...]) -> dict[tuple[int | None, ...], list[Row]]:
    """Return rows by their values of `keys`; NULLs are equal here."""
    groups: dict[tuple[int | None, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def term_value(term: Term, row: Row) -> int:
    """Return coefficient times factors, 0 where `when` isn't TRUE."""
    if term.when is not None and truth(term.when, row) is not True:
        return 0
    value = term.coefficient
    for factor in term.factors:
        value *= number(row[factor])
    return value


def with_numbers(row: Row, bits: Iterable[BitsColumn]) -> Row:
    """Add the number #c = low + bits of each bits column c, 0 where it is NULL."""
    return {
        **row,
        **{f"#{c.name}": 0 if (v := row[c.name]) is None else c.low + v for c in bits},
    }


def truth(predicate: Predicate, row: Row) -> bool | None:
    """Return the truth value of a predicate; None is SQL's NULL."""
    match predicate:
        case CompareBits(op, left, right):
            other = row[right] if isinstance(right, str) else right
            mine = row[left]
            return None if mine is None or other is None else _compare(op, mine, other)
        case CompareSums(op, terms, known):
            if known is not None and truth(known, row) is not True:
                return None
            total = sum(term_value(term, row) for term in terms)
            promise(abs(total) < 1 << 62, "a comparison exceeds 62 bits")
            return _compare(op, total, 0)
        case IsNull(column):
            return row[column] is None
        case Not(operand):
            value = truth(operand, row)
            return None if value is None else not value
        case And(operands):
            values = [truth(p, row) for p in operands]
            return False if False in values else None if None in values else True
        case Or(operands):
            values = [truth(p, row) for p in operands]
            return True if True in values else None if None in values else False


def _compare(op: str, a: int, b: int) -> bool:
    results = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a == b, "<>": a != b}
    return results[op]


def number(value: int | None) -> int:
    """Return a sum column's value, which is never NULL."""
    if value is None:
        raise AssertionError("NULL in a sum column")
    return value


def promise(kept: bool, what: str) -> None:
    """Fail on a plan that promised what doesn't hold."""
    if not kept:
        raise AssertionError(what)
