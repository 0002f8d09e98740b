"""Conditions that need several owners: from bound expressions to predicates on shares.

Rule: whatever one source can decide arrives as one of its bits columns; only comparisons
between sources are computed on shares. AND, OR and NOT keep SQL's three truth values.
"""

from collections.abc import Mapping
from dataclasses import replace

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
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
from cleanroom.query.columns import Columns
from cleanroom.query.pieces import separate
from cleanroom.query.products import compare_products
from cleanroom.sql import operators
from cleanroom.sql.domain import TRUTH, union
from cleanroom.sql.encode import choose
from cleanroom.sql.expr import COMPARISONS, Expr

ALWAYS: Predicate = And(())


def lower(expr: Expr, columns: Columns) -> Predicate:
    """Lower one condition, asking `columns` for what it compares."""
    if columns.placement.source_of(expr) is not None:
        encoding = choose(TRUTH)
        return CompareBits("=", columns.compared(expr, encoding).column.name, 1)
    if expr.op in ("and", "or"):
        operands = tuple(lower(part, columns) for part in _by_source(expr, columns))
        return And(operands) if expr.op == "and" else Or(operands)
    if expr.op == "not":
        return Not(lower(expr.args[0], columns))
    if expr.op in COMPARISONS:
        return _comparison(expr, columns)
    if expr.op == "in":
        arg, *options = expr.args
        same = tuple(operators.compare("=", arg, option) for option in options)
        return lower(operators.logical("or", same), columns)
    raise UnsupportedQuery(f"{expr.op.upper().replace('_', ' ')} over columns of several owners")


def renamed(predicate: Predicate, names: Mapping[str, str]) -> Predicate:
    """Return the predicate over columns of other names."""
    match predicate:
        case And(operands):
            return And(tuple(renamed(p, names) for p in operands))
        case Or(operands):
            return Or(tuple(renamed(p, names) for p in operands))
        case Not(operand):
            return Not(renamed(operand, names))
        case IsNull(column):
            return IsNull(names.get(column, column))
        case CompareBits(op, left, right):
            other = names.get(right, right) if isinstance(right, str) else right
            return CompareBits(op, names.get(left, left), other)
        case CompareSums(op, terms, known):
            there = None if known is None else renamed(known, names)
            return CompareSums(op, tuple(_renamed_term(t, names) for t in terms), there)
    return predicate


def _renamed_term(term: Term, names: Mapping[str, str]) -> Term:
    numbers = {f"#{old}": f"#{new}" for old, new in names.items()}
    return replace(term, factors=tuple(numbers.get(f, f) for f in term.factors))


def not_true(predicate: Predicate, columns: Columns) -> Predicate:
    """Return a predicate that is TRUE where the given one is FALSE or NULL."""
    return _settled(predicate, columns, wanted=False)


def _settled(predicate: Predicate, columns: Columns, *, wanted: bool) -> Predicate:
    """TRUE where `predicate` is `wanted` or NULL."""
    match predicate:
        case Not(operand):
            return _settled(operand, columns, wanted=not wanted)
        case And(operands) | Or(operands):
            parts = tuple(_settled(p, columns, wanted=wanted) for p in operands)
            return And(parts) if isinstance(predicate, And) == wanted else Or(parts)
        case CompareBits(_, left, right):
            names = (left, right) if isinstance(right, str) else (left,)
            unknown = tuple(IsNull(name) for name in names if _nullable(name, columns))
            same = predicate if wanted else Not(predicate)
            return Or((same, *unknown)) if unknown else same
        case CompareSums(_, _, known) if known is not None:
            missing = _settled(known, columns, wanted=False)
            return Or((predicate if wanted else Not(predicate), missing))
    return predicate if wanted else Not(predicate)


def _nullable(name: str, columns: Columns) -> bool:
    found = (b.column for bits in columns.bits for b in bits.values() if b.column.name == name)
    return any(column.nullable for column in found)


def _by_source(expr: Expr, columns: Columns) -> list[Expr]:
    """Gather the operands that one source can decide together into one."""
    local: dict[int, list[Expr]] = {}
    rest = []
    for arg in expr.args:
        source = columns.placement.source_of(arg)
        if source is None:
            rest.append(arg)
        else:
            local.setdefault(source, []).append(arg)
    joined = [operators.logical(expr.op, tuple(a)) if len(a) > 1 else a[0] for a in local.values()]
    return [*joined, *rest]


def _comparison(expr: Expr, columns: Columns) -> Predicate:
    left, right = expr.args
    if None in (columns.placement.source_of(left), columns.placement.source_of(right)):
        sides = separate(left, right, columns.placement)
        if sides is None:
            return compare_products(expr.op, left, right, columns)  # type: ignore[arg-type]
        left, right = sides
    if left.domain.kind is None or right.domain.kind is None:
        raise UnsupportedQuery("floating point in a comparison between owners")
    domain = union((left.domain, right.domain))
    ordered = expr.op not in ("=", "<>") and domain.kind is Kind.TEXT
    encoding = choose(domain, ordered=ordered)
    first = columns.compared(left, encoding).column.name
    second = columns.compared(right, encoding).column.name
    return CompareBits(expr.op, first, second)  # type: ignore[arg-type]
