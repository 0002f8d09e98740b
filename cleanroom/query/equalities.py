"""Which expressions conditions make equal."""

from collections.abc import Iterator

from cleanroom.sql.expr import Expr, tables


def is_equality(condition: Expr) -> bool:
    return condition.op == "=" and all(tables(side) for side in condition.args)


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

    def members(self, expr: Expr) -> Iterator[Expr]:
        """Yield what is equal to an expression, itself left out."""
        root = self.root(expr)
        return (e for e in list(self._parent) if e != expr and self.root(e) == root)

    def copy(self) -> "Equalities":
        other = Equalities()
        other._parent = dict(self._parent)
        return other

    def groups(self) -> Iterator[tuple[Expr, ...]]:
        """Yield the classes, in the order in which they were first mentioned."""
        found: dict[Expr, list[Expr]] = {}
        for expr in list(self._parent):
            found.setdefault(self.root(expr), []).append(expr)
        yield from map(tuple, found.values())
