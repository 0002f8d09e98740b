"""Trees of SQL put together so that their text reads like what a person writes.

Rule: parentheses stand wherever a reader of SQL could be in doubt, and nowhere else.
"""

from collections.abc import Callable

from sqlglot import exp

_SUMS = (exp.Add, exp.Sub)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_TESTS = (*_COMPARISONS, exp.Between, exp.In, exp.Is, exp.Like)
_COMPOUND = (exp.Binary, exp.Unary, *_TESTS, exp.Interval)


def binary(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Binary:
    """Join two trees by an operator; they aren't changed."""
    return kind(this=_beside(kind, left, first=True), expression=_beside(kind, right, first=False))


def unary(kind: type[exp.Unary], tree: exp.Expr) -> exp.Unary:
    """Put an operator before a tree."""
    clear = kind is exp.Not and isinstance(tree, exp.Is | exp.In | exp.Like)
    return kind(this=tree.copy() if clear else atom(tree.copy()))


def atom(tree: exp.Expr) -> exp.Expr:
    """Return a tree that can stand anywhere."""
    compound = isinstance(tree, _COMPOUND) and not isinstance(tree, exp.Paren)
    return exp.paren(tree, copy=False) if compound else tree


def conjunction(parts: tuple[exp.Expr, ...]) -> exp.Expr:
    """Join conditions by AND; there is at least one."""
    first, *rest = parts
    joined = first.copy() if not rest or not isinstance(first, exp.Or) else atom(first.copy())
    for part in rest:
        joined = binary(exp.And, joined, part)
    return joined


def replaced(tree: exp.Expr, change: Callable[[exp.Column], exp.Expr]) -> exp.Expr:
    """Replace every column of a tree, in place; beside an operator it may need parentheses."""
    if isinstance(tree, exp.Column):
        return change(tree)
    for node in list(tree.find_all(exp.Column)):
        made = change(node)
        node.replace(atom(made) if isinstance(node.parent, _COMPOUND) else made)
    return tree


def _beside(kind: type[exp.Binary], tree: exp.Expr, *, first: bool) -> exp.Expr:
    """Return a copy of an operand, in parentheses unless its operator binds closer for sure."""
    if kind is exp.And or kind is exp.Or:
        clear = isinstance(tree, (*_TESTS, exp.Not)) or (first and type(tree) is kind)
    elif kind in _COMPARISONS:
        clear = isinstance(tree, (*_SUMS, exp.Mul, exp.Div, exp.IntDiv, exp.Neg))
    elif kind in _SUMS:
        clear = isinstance(tree, exp.Mul) or (first and isinstance(tree, _SUMS))
        clear = clear or isinstance(tree, exp.Interval)
    else:
        clear = kind is exp.Mul and first and isinstance(tree, exp.Mul)
    return tree.copy() if clear else atom(tree.copy())
