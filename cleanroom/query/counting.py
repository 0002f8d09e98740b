"""Which totals are counts, and which would tell exact counts although counts are rounded.

Rule: SUM of 0 and 1 is a count, and rounded as one. Any other SUM stays exact, so it may not be a
count in disguise: no constant is added to what it adds up, more than two values are possible, and
the query fixes no column that it sums. Ranges of such a column are `min_width`'s concern.
"""

from collections.abc import Iterator

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.moments import is_moment
from cleanroom.query.outcome import meaning
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain
from cleanroom.sql.expr import COMPARISONS, Expr, columns, has_aggregate, walk
from cleanroom.sql.parts import walk_parts

FEW = 16  # values of a column that products and ranges can tell apart
_SUMS = ("sum", "avg", "sum_distinct", "avg_distinct")
_VALUES = ("min", "max", "median", "quantile_disc")
_REMEDY = "Ask for COUNT, or for SUM of columns that the query neither groups by nor fixes."


def is_count(domain: Domain) -> bool:
    """Whether a SUM of such values says how many of them are 1."""
    whole = domain.kind in (Kind.INTEGER, Kind.BOOLEAN) and domain.scale == 0
    return whole and domain.low >= 0 and domain.high <= 1


def check_sums(query: Query) -> None:
    """Refuse sums that would tell exact counts.

    Raises:
        UnsupportedQuery: naming the aggregate.
    """
    if query.rows:
        what = "rows, where counts are rounded: each would tell how often it occurs"
        raise UnsupportedQuery(what, remedy="Ask for groups, with GROUP BY.")
    fixed = set(_fixed(query))
    for aggregate in aggregates(query):
        if is_moment(aggregate):
            what = f"{meaning(query, aggregate)}: rounded counts would spoil it"
            raise UnsupportedQuery(what, remedy="Ask for SUM, AVG and COUNT.")
        if aggregate.value in _VALUES and _of_subquery(query, aggregate.args[0]):
            what = f"{meaning(query, aggregate)}: a subquery's count would be told exactly"
            raise UnsupportedQuery(what, remedy=_REMEDY)
        if aggregate.value in _SUMS and _tells(query, aggregate.args[0], fixed):
            what = f"{meaning(query, aggregate)}: it would tell exactly what is rounded"
            raise UnsupportedQuery(what, remedy=_REMEDY)


def aggregates(query: Query) -> Iterator[Expr]:
    """Yield the aggregates of a query."""
    return (node for expr in _after(query) for node in walk(expr) if node.op == "aggregate")


def _after(query: Query) -> Iterator[Expr]:
    """Yield what is computed of groups."""
    yield from (output.expr for output in query.outputs)
    yield from (order.expr for order in query.order)
    yield from query.having


def _tells(query: Query, arg: Expr, fixed: set[tuple[int, str]]) -> bool:
    if is_count(arg.domain):
        return False
    return not _varies(query, arg) or not fixed.isdisjoint(_summed(arg))


def _of_subquery(query: Query, arg: Expr) -> bool:
    """Whether a value may be a number that a subquery computes; it may be a count."""
    inside = [node for node in walk(arg) if node.op == "column" and node.domain.is_number]
    tables = [query.tables[node.reference[0]] for node in inside]
    return any(table.view or table.local for table in tables)


def _summed(expr: Expr) -> Iterator[tuple[int, str]]:
    """Yield the columns that are added up, not those that conditions name."""
    if expr.op == "column":
        yield expr.reference
    args = (*expr.args[1:-1:2], expr.args[-1]) if expr.op == "case" else expr.args
    for arg in args:
        yield from _summed(arg)


def _varies(query: Query, expr: Expr) -> bool:
    """Whether a number is made of columns, of which a constant is at most a factor."""
    match expr.op:
        case "column":
            table = query.tables[expr.reference[0]]
            return expr.domain.size > 2 and table.view is None and table.local is None
        case "+" | "-":
            return all(_varies(query, arg) for arg in expr.args)
        case "*":
            factors = [arg for arg in expr.args if arg.op != "literal"]
            alone = len(factors) == 1
            return bool(factors) and all(
                _varies(query, arg) and (alone or arg.domain.size > FEW) for arg in factors
            )
        case "case":
            return all(_varies_or_none(query, v) for v in (*expr.args[1:-1:2], expr.args[-1]))
        case "call" if expr.value == "coalesce":
            return all(_varies_or_none(query, arg) for arg in expr.args)
        case "cast" | "neg" | "optional":
            return _varies(query, expr.args[0])
        case "call" if expr.value == "abs":
            return _varies(query, expr.args[0])
    return False


def _varies_or_none(query: Query, expr: Expr) -> bool:
    return (expr.op == "literal" and not expr.value) or _varies(query, expr)


def _fixed(query: Query) -> Iterator[tuple[int, str]]:
    """Yield columns of which groups or conditions may leave a single value."""
    for key in query.keys:
        yield from columns(key)
    parts = [part for part, _ in walk_parts(query.part)]
    conditions = [condition for part in parts for condition in part.where]
    conditions += [c for part in parts for joined in part.attached for c in joined.on]
    for expr in (*conditions, *_after(query)):
        for node in walk(expr):
            if node.op in (*COMPARISONS, "in") and not has_aggregate(node):
                yield from _compared(node)


def _compared(condition: Expr) -> Iterator[tuple[int, str]]:
    single = condition.op in ("=", "<>", "in")
    for node in walk(condition):
        if node.op == "column" and (single or node.domain.size <= FEW):
            yield node.reference
