"""A bound scalar expression: every name resolved, every node with its domain.

Rule: the one form between parsing and lowering. Operators are few and spelled as in SQL;
whatever is only known to DuckDB is a `call` of a function from an allowlist.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.domain import Domain

MAX_NODES = 10_000  # subqueries may multiply an expression: bounds the work of compiling
MAX_DEPTH = 150

Value: TypeAlias = object


@dataclass(frozen=True, slots=True)
class Expr:
    """One node.

    Attributes:
        op: column, literal, key, aggregate, call, cast, case, in, is_null, like, not, and, or,
            + - * / // % neg, = <> < <= > >=, optional (see `missing`).
        value: (table, name) of a column, the value of a literal, the name of a call, aggregate
            or cast, the name in `opened` of a key.
    """

    op: str
    args: tuple["Expr", ...]
    domain: Domain
    value: Value = None
    nodes: int = field(init=False, compare=False, repr=False)
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        nodes = 1 + sum(arg.nodes for arg in self.args)
        depth = 1 + max((arg.depth for arg in self.args), default=0)
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            limits = f"{MAX_NODES} operators, {MAX_DEPTH} deep"
            raise UnsupportedQuery(f"an expression of more than {limits}")
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "depth", depth)

    @property
    def reference(self) -> tuple[int, str]:
        """Return a column's table instance and name."""
        match self.value:
            case (int(table), str(name)):
                return table, name
        raise TypeError(f"{self.op} is no column")

    @property
    def position(self) -> int:
        """Return which key a 'key' is."""
        if self.op != "key" or not isinstance(self.value, int):
            raise TypeError(f"{self.op} is no key")
        return self.value


COMPARISONS = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}  # op: mirrored


def column(table: int, name: str, domain: Domain) -> Expr:
    return Expr("column", (), domain, (table, name))


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield every node, parents first, from left to right."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.args))


def tables(expr: Expr) -> frozenset[int]:
    """Return the table instances whose columns occur."""
    return frozenset(table for table, _ in columns(expr))


def columns(expr: Expr) -> Iterator[tuple[int, str]]:
    for node in walk(expr):
        if node.op == "column":
            yield node.reference


def has_aggregate(expr: Expr) -> bool:
    return any(node.op == "aggregate" for node in walk(expr))


def rewrite(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """Replace the topmost nodes for which `change` returns another."""
    changed = change(expr)
    if changed is not None:
        return changed
    args = tuple(rewrite(arg, change) for arg in expr.args)
    return Expr(expr.op, args, expr.domain, expr.value)


def conjuncts(expr: Expr) -> Iterator[Expr]:
    """Yield the operands of nested ANDs."""
    if expr.op == "and":
        for arg in expr.args:
            yield from conjuncts(arg)
    else:
        yield expr
