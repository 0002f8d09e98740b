"""UNION ALL in FROM or WITH: its branches, each a SELECT whose rows join the others'."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.parse import construct, only
from cleanroom.sql.tables import aggregates
from cleanroom.sql.windows import has_windows

MAX_BRANCHES = 8


def branches(union: exp.SetOperation) -> tuple[exp.Select, ...]:
    """Return the branches from left to right, as SELECTs without aggregates or windows.

    Raises:
        UnsupportedQuery: for UNION, EXCEPT and INTERSECT, and too many branches.
    """
    found = tuple(map(_plain, _branches(union)))
    if len(found) > MAX_BRANCHES:
        raise UnsupportedQuery(f"UNION ALL of more than {MAX_BRANCHES} branches")
    return found


def _branches(node: Any) -> Iterator[exp.Select]:
    while isinstance(node, exp.Subquery):
        only(node, "this")
        node = node.this
    if isinstance(node, exp.Select):
        yield node
        return
    if not isinstance(node, exp.Union) or node.args.get("by_name"):
        raise UnsupportedQuery(f"{construct(node)} in a subquery", remedy="Write UNION ALL.")
    if node.args.get("distinct"):
        remedy = "Write SELECT DISTINCT * FROM (... UNION ALL ...)."
        raise UnsupportedQuery("UNION that drops equal rows", remedy=remedy)
    only(node, "this", "expression", "with_")
    yield from _branches(node.this)
    yield from _branches(node.expression)


def _plain(select: exp.Select) -> exp.Select:
    if not (has_windows(select) or aggregates(select)):
        return select
    return exp.Select().select(exp.Star()).from_(select.subquery("branch"), copy=False)
