"""How a subquery hangs on the query around it: the comparisons that name both.

Rule: decided on the syntax tree, before anything is bound: a conjunct of the subquery's WHERE
either names nothing outside, or compares something inside with something outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from cleanroom.errors import UnknownName
from cleanroom.sql.aliases import Ctes
from cleanroom.sql.names import Names
from cleanroom.sql.tables import Table

if TYPE_CHECKING:
    from cleanroom.sql.scope import Scope

_COMPARE: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Tie:
    """inner `op` outer: a comparison of both."""

    op: str
    inner: exp.Expr
    outer: exp.Expr


@dataclass(frozen=True, slots=True)
class Hanging:
    """A subquery taken apart.

    Attributes:
        select: the subquery without its ties.
        names: what names mean inside; tables: of its FROM.
        rest: whether other conditions name the query around too.
    """

    select: exp.Select
    ties: tuple[Tie, ...]
    names: Names
    tables: tuple[Table, ...]
    rest: bool

    @property
    def equalities(self) -> tuple[Tie, ...]:
        return tuple(tie for tie in self.ties if tie.op == "=")

    @property
    def inequalities(self) -> tuple[Tie, ...]:
        return tuple(tie for tie in self.ties if tie.op != "=")


def taken_apart(scope: "Scope", select: exp.Select, ctes: Ctes) -> Hanging:
    """Take the comparisons with the query around out of a subquery."""
    bare = select.copy()
    bare.set("where", None)
    trial = scope.apart()
    names, _ = trial.enter(bare, ctes)
    ties, kept, rest = [], [], False
    where = select.args.get("where")
    for conjunct in conjuncts(where.this) if where else ():
        if not _outside(conjunct, names):
            kept.append(conjunct.copy())
        elif (tie := _tie(conjunct, names)) is not None:
            ties.append(tie)
        else:
            rest = True
    if kept:
        bare.set("where", exp.Where(this=exp.and_(*kept)))
    return Hanging(bare, tuple(ties), names, tuple(trial.tables), rest)


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the operands of nested ANDs."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def _tie(node: exp.Expr, names: Names) -> Tie | None:
    if type(node) not in _COMPARE:
        return None
    written = _COMPARE[type(node)]
    for op, inner, outer in (
        (written, node.this, node.expression),
        (_MIRRORED[written], node.expression, node.this),
    ):
        inside, around = _columns(inner), _columns(outer)
        if inside and around and not _outside(inner, names) and _all_outside(around, names):
            return Tie(op, inner.copy(), outer.copy())
    return None


def _outside(node: exp.Expr, names: Names) -> bool:
    return any(not _known(column, names) for column in _columns(node))


def _all_outside(columns: list[exp.Column], names: Names) -> bool:
    return not any(_known(column, names) for column in columns)


def _columns(node: exp.Expr) -> list[exp.Column]:
    """Return the columns that an expression names, those of further subqueries left out."""
    found = node.walk(prune=lambda n: isinstance(n, exp.Select))
    return [n for n in found if isinstance(n, exp.Column)]


def _known(column: exp.Column, names: Names) -> bool:
    try:
        names.resolve(column)
    except UnknownName:
        return False
    return True
