"""Names that a query gives itself: aliases, the columns beside them, and WITH."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.parse import construct, only

Ctes: TypeAlias = Mapping[str, exp.CTE]
Select: TypeAlias = exp.Select | exp.SetOperation


def alias_of(node: exp.Expr) -> str:
    """Return the alias of something in FROM or WITH."""
    alias = node.args.get("alias")
    if alias is not None:
        only(alias, "this", "columns")
    return node.alias.lower()


def column_names(node: exp.Expr) -> tuple[str, ...]:
    """Return the names that an alias gives the columns: t (a, b)."""
    alias = node.args.get("alias")
    return tuple(c.name.lower() for c in alias.args.get("columns") or ()) if alias else ()


def named_in(select: Select) -> Iterator[tuple[str, exp.CTE]]:
    """Yield the common table expressions of a SELECT by name."""
    if with_ := select.args.get("with_"):
        only(with_, "expressions")
        for cte in with_.expressions:
            only(cte, "this", "alias")
            if not isinstance(cte.this, exp.Select | exp.SetOperation):
                raise UnsupportedQuery(f"{construct(cte.this)} in WITH")
            yield alias_of(cte), cte
