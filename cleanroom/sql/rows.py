"""Row output: a SELECT without aggregates, GROUP BY or DISTINCT asks for rows.

Rule: equal rows are one group, opened with the number of times it occurs. So what is opened
follows from the answer alone, and not from which owners' rows made up a row of it.
"""

from collections.abc import Iterable

from cleanroom.errors import UnsupportedQuery
from cleanroom.sql.expr import Expr, columns


def keys_of(outputs: Iterable[Expr]) -> tuple[Expr, ...]:
    """Return what tells rows apart: every output that depends on a row."""
    keys = tuple(dict.fromkeys(expr for expr in outputs if any(columns(expr))))
    if not keys:
        raise UnsupportedQuery("rows without any column", remedy="SELECT a column, or COUNT(*).")
    return keys


def check_order(order: Iterable[Expr], *, limited: bool) -> None:
    """Refuse an order of rows by anything but what is selected.

    Args:
        order: over keys; what is left of columns isn't selected.
        limited: only the first rows are opened, so the order is found on shares.
    """
    for expr in order:
        if any(columns(expr)) or (limited and expr.op not in ("key", "literal")):
            what = "row output in an order by what isn't selected"
            raise UnsupportedQuery(what, remedy="SELECT it too, and ORDER BY its name.")
