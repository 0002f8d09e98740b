"""Placement: which tables one owner joins by itself, and which equalities join owners.

A *source* is what one SQL text reads at each of its members: one table, or several tables of a
single owner that are joined with each other. A *key class* is a set of expressions, one a
source, that equalities make equal; it becomes one key column of the same name everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.query import operators
from cleanroom.query.bind import Query
from cleanroom.query.domain import Domain, union
from cleanroom.query.expr import Expr, tables


@dataclass(frozen=True, slots=True)
class KeyClass:
    """Attributes: exprs: source -> the expression that is the key there."""

    name: str
    exprs: dict[int, Expr]
    domain: Domain


@dataclass(frozen=True, slots=True)
class Source:
    """Attributes: where: conditions that every member applies to its own rows."""

    tables: tuple[int, ...]
    members: tuple[str, ...]
    where: tuple[Expr, ...]

    @property
    def is_view(self) -> bool:
        """Whether this is an inner aggregation, which no member can read."""
        return self.members[0].startswith("#")


@dataclass(frozen=True, slots=True)
class Placement:
    """Attributes: crossing: conditions that need several sources; equal: all equalities."""

    sources: tuple[Source, ...]
    classes: tuple[KeyClass, ...]
    crossing: tuple[Expr, ...]
    equal: "Equalities"

    def source_of(self, expr: Expr) -> int | None:
        """Return the one source that can compute `expr`, or None; constants fit the first."""
        return _within(expr, self.sources)

    def home(self, expr: Expr) -> int:
        """Return the source of an expression that has one."""
        return _home(expr, self.sources)


class Equalities:
    """Union-find over expressions that conjuncts make equal."""

    def __init__(self) -> None:
        self._parent: dict[Expr, Expr] = {}

    def root(self, expr: Expr) -> Expr:
        while (parent := self._parent.setdefault(expr, expr)) != expr:
            expr = parent
        return expr

    def join(self, a: Expr, b: Expr) -> None:
        self._parent[self.root(b)] = self.root(a)

    def groups(self) -> Iterator[tuple[Expr, ...]]:
        """Yield the classes, in the order in which they were first mentioned."""
        found: dict[Expr, list[Expr]] = {}
        for expr in list(self._parent):
            found.setdefault(self.root(expr), []).append(expr)
        yield from map(tuple, found.values())


def place(query: Query) -> Placement:
    """Divide the tables and conditions of a query among sources."""
    equal = Equalities()
    for condition in query.where:
        if _is_equality(condition):
            equal.join(*condition.args)
    groups = _group(query, equal)
    sources = tuple(Source(group, query.tables[group[0]].owners, ()) for group in groups)
    where: list[list[Expr]] = [[] for _ in sources]
    across, crossing = Equalities(), []
    for condition in query.where:
        own = _within(condition, sources)
        if own is not None:
            where[own].append(condition)
        elif _is_equality(condition) and all(
            _within(side, sources) is not None for side in condition.args
        ):
            across.join(*condition.args)
        else:
            crossing.append(condition)
    classes = tuple(_key_classes(across, sources, where))
    placed = tuple(
        Source(source.tables, source.members, tuple(dict.fromkeys(conditions)))
        for source, conditions in zip(sources, where, strict=True)
    )
    return Placement(placed, classes, tuple(crossing), equal)


def _is_equality(condition: Expr) -> bool:
    return condition.op == "=" and all(tables(side) for side in condition.args)


def _group(query: Query, equal: Equalities) -> list[tuple[int, ...]]:
    """Put tables of one single owner together that share a class of equal expressions."""
    group = list(range(len(query.tables)))
    for members in equal.groups():
        single = [next(iter(tables(e))) for e in members if len(tables(e)) == 1]
        for a in single:
            for b in single:
                owners = query.tables[a].owners
                if len(owners) == 1 and owners == query.tables[b].owners:
                    low, high = sorted((group[a], group[b]))
                    group = [low if g == high else g for g in group]
    return [tuple(t for t, g in enumerate(group) if g == root) for root in sorted(set(group))]


def _within(expr: Expr, sources: tuple[Source, ...]) -> int | None:
    needed = tables(expr)
    fits = (i for i, source in enumerate(sources) if needed <= set(source.tables))
    return next(fits, None)


def _home(expr: Expr, sources: tuple[Source, ...]) -> int:
    source = _within(expr, sources)
    if source is None:
        raise ValueError("an expression over several sources")
    return source


def _key_classes(
    across: Equalities, sources: tuple[Source, ...], where: list[list[Expr]]
) -> Iterator[KeyClass]:
    """Choose one expression a source; others of that source must equal it there."""
    for number, members in enumerate(across.groups()):
        exprs: dict[int, Expr] = {}
        for expr in members:
            source = _home(expr, sources)
            if source in exprs:
                where[source].append(operators.compare("=", exprs[source], expr))
                continue
            exprs[source] = expr
            if expr.domain.nullable:
                known = operators.logical("not", (operators.is_null(expr),))
                where[source].append(known)
        yield KeyClass(f"k{number}", exprs, union(e.domain for e in exprs.values()))
