"""Subqueries whose sums the outer query tests: each of their columns must be one summand.

Rule: the outer query sees a subquery's column as a value; what was added up inside it, a constant
or a second column, could not be taken away again, so it is refused there.
"""

import re
from collections.abc import Iterator, Sequence

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.outcome import meaning
from cleanroom.query.summands import summands
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr
from cleanroom.sql.inner_rows import InnerRows

_TIE = re.compile(r"#k\d+")  # as `sql.values` names what a test compares; `sql.parse` reserves it


def are_tested(terms: Terms) -> bool:
    """Whether the contract asks how many persons, or who, is behind each summand."""
    privacy = terms.privacy
    limits = privacy.top_two < 100 or privacy.p_percent > 0
    return privacy.release == "sdc" and (privacy.min_group > 1 or limits)


def check_inner(query: Query) -> None:
    """Refuse columns of a subquery of which the outer query couldn't tell the summands.

    What IN and EXISTS compare is only compared: no text can name these columns.

    Raises:
        UnsupportedQuery: naming the column.
    """
    for output in query.outputs:
        if _TIE.fullmatch(output.name):
            continue
        for expr in _computed(query, output.expr):
            _check(query, expr)


def check_rows(rows: InnerRows) -> None:
    """As `check_inner`, with what window functions are applied to."""
    check_inner(rows.query)
    for call in rows.calls.values():
        if call.arg is not None:
            _check(rows.query, call.arg)


def check_branches(parts: Sequence[Query]) -> None:
    """As `check_inner`, for each branch of a UNION ALL; none may have a constant where one doesn't.

    Raises:
        UnsupportedQuery: naming the column.
    """
    for part in parts:
        check_inner(part)
    for column in zip(*(part.outputs for part in parts), strict=False):
        constant = [_is_constant(output.expr) for output in column]
        if any(constant) and any(output.expr.op != "literal" for output in column):
            what = f"a constant among the rows of UNION ALL's column {column[0].name}"
            raise UnsupportedQuery(f"{what}, where each summand is tested")


def _check(query: Query, expr: Expr) -> None:
    if expr.domain.is_number and summands(expr) not in ((), (expr,)):
        what = f"{meaning(query, expr)} inside a subquery, where each summand is tested"
        raise UnsupportedQuery(what, remedy="Select its columns there, and compute outside.")


def _computed(query: Query, expr: Expr) -> Iterator[Expr]:
    if expr.op == "key":
        yield query.keys[expr.position]
    elif expr.op == "aggregate":
        yield from expr.args
    else:
        yield expr


def _is_constant(expr: Expr) -> bool:
    """Whether it is a number that adds something."""
    return expr.op == "literal" and expr.domain.is_number and bool(expr.value)
