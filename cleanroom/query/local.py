"""Window functions over rows of a single owner: computed by that owner, in SQL.

Rule: the SQL means what the plan's Window means, the order of equal rows too.
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.query.leaf import Write, row_order, rows_of
from cleanroom.query.restricting import facts_of_rows
from cleanroom.query.sizes import MAX_LEAF_ROWS, joined_rows
from cleanroom.query.sources import Placement, Source, person_of
from cleanroom.query.uses import row_uses
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import DECIMAL_LIMIT, LIMIT, TRUTH, Domain
from cleanroom.sql.expr import Expr, columns
from cleanroom.sql.inner_rows import InnerRows
from cleanroom.sql.parts import walk_parts
from cleanroom.sql.render import cast, constant, function, sql_of
from cleanroom.sql.view import PERSON, LocalView
from cleanroom.sql.windows import Along, Call

_FUNCTIONS = {"row_number": "row_number", "rank": "rank", "dense_rank": "dense_rank"}
_NUMBERED_BY_PLACE = ("row_number", "neighbour")  # these need to know which of equal rows is first


def computed(rows: InnerRows, placement: Placement, min_group: int) -> LocalView:
    """Lower a subquery whose rows all lie at one owner.

    Raises:
        UnsupportedQuery: with min_group > 1, if a partition mixes persons.
        OverflowPossible: for a total that may not fit.
    """
    query, (source,) = rows.query, placement.sources
    n = min(joined_rows(query, source), MAX_LEAF_ROWS)
    person = _person(rows, placement)
    if person is None and min_group > 1:
        raise persons_mixed()
    select, write = rows_of(query, source)
    found: dict[str, Domain] = {}
    based: dict[str, tuple[tuple[str, str], ...]] = {}
    for output in query.outputs:
        select.select(_aliased(write(output.expr), output.name), copy=False)
        found[output.name] = output.expr.domain
        based[output.name] = base(query, output.expr)
    for name, call in rows.calls.items():
        domain = _domain(call, n)
        select.select(_aliased(_written(call, domain, source, write), name), copy=False)
        found[name], based[name] = domain, base(query, *_told(call))
    named = next((o.name for o in query.outputs if o.expr == person), PERSON)
    if named == PERSON:
        value = constant(True) if person is None else write(person)
        select.select(_aliased(value, PERSON), copy=False)
        found[PERSON] = TRUTH if person is None else person.domain
        based[PERSON] = () if person is None else base(query, person)
    place = _window(function("row_number"), (), [exp.Ordered(this=c) for c in row_order(source)])
    select.select(exp.alias_(place, "rowid"), copy=False)
    return LocalView(
        source.members[0],
        sql_of(select),
        found,
        based,
        tuple(dict.fromkeys(name for t in source.tables for name in query.tables[t].read)),
        n,
        named,
        None if person is None else rows_per_person(query, placement),
        row_uses(query, placement, tuple(rows.calls.values())),
        facts_of_rows(query, placement, rows.calls),
    )


def base(query: Query, *exprs: Expr) -> tuple[tuple[str, str], ...]:
    """Return the contract's columns that expressions are computed from."""
    named = (reference for expr in exprs for reference in columns(expr))
    return tuple(dict.fromkeys(b for table, name in named for b in query.tables[table].base(name)))


def rows_per_person(query: Query, placement: Placement) -> int | None:
    """Bound one person's rows, if they come from a single table."""
    (first, *others) = placement.sources
    limit = query.tables[first.tables[0]].terms.max_rows_per_person
    if limit is None or others or len(first.tables) > 1:
        return None
    return limit * len(first.members)


def persons_mixed() -> UnsupportedQuery:
    """Say that a partition may hold rows of several persons."""
    what = "a window function whose PARTITION BY doesn't name the person, with min_group > 1"
    remedy = "Add the table's person column to PARTITION BY; rows must be of one person each."
    return UnsupportedQuery(what, remedy=remedy)


def _person(rows: InnerRows, placement: Placement) -> Expr | None:
    """Return what every partition names as the one person behind its rows, if all do."""
    query, equal = rows.query, placement.equal
    parts = tuple(walk_parts(query.part, tested=False))
    persons = [person_of(query, table) for part, _ in parts for table in part.tables]
    roots = {equal.root(person) for person in persons}
    if len(roots) > 1 or any(around for _, around in parts):
        return None
    (root,) = roots
    if all(any(equal.root(e) == root for e in c.partition) for c in rows.calls.values()):
        return persons[0]
    return None


def _told(call: Call) -> Iterable[Expr]:
    """Return what a window function's value is computed from."""
    if call.arg is not None:
        return (call.arg,)
    return (along.expr for along in call.order) if call.kind != "count" else ()


def _domain(call: Call, n: int) -> Domain:
    if call.kind not in ("neighbour", "sum") or call.arg is None:
        return Domain(Kind.INTEGER, 0 if call.kind == "count" else 1, n)
    domain = replace(call.arg.domain, nullable=True)
    if call.kind == "neighbour":
        return domain
    bound, limit = domain.magnitude * n, DECIMAL_LIMIT if domain.kind is Kind.DECIMAL else LIMIT
    if bound >= limit:
        what = f"SUM OVER may reach {domain.magnitude} in each of {n} rows"
        raise OverflowPossible(f"{what}; a total below {limit} is safe")
    low, high = min(domain.low * n, 0), max(domain.high * n, 0)
    return replace(domain, low=low, high=high, nullable=call.arg.domain.nullable)


def _written(call: Call, domain: Domain, source: Source, write: Write) -> exp.Expr:
    """Write a window function; rows that are equal in its order follow the owner's order."""
    order = [_ordered(along, write) for along in call.order]
    if call.kind in _NUMBERED_BY_PLACE:
        backwards = bool(call.order) and call.order[-1].descending
        order += [exp.Ordered(this=c, desc=backwards) for c in row_order(source)]
    value = _window(_function(call, write), (write(e) for e in call.partition), order)
    if call.kind != "sum":
        return value
    exact = f"DECIMAL(18,{domain.scale})" if domain.kind is Kind.DECIMAL else "BIGINT"
    return cast(value, exact)


def _function(call: Call, write: Write) -> exp.Expr:
    if call.kind in _FUNCTIONS:
        return function(_FUNCTIONS[call.kind])
    if call.arg is None:
        return function("count", exp.Star())
    if call.kind == "neighbour":
        name, distance = ("lag" if call.distance > 0 else "lead"), abs(call.distance)
        return function(name, write(call.arg), constant(distance))
    return function(call.kind, write(call.arg))


def _ordered(along: Along, write: Write) -> exp.Ordered:
    return exp.Ordered(
        this=write(along.expr), desc=along.descending, nulls_first=along.nulls_first
    )


def _window(
    value: exp.Expr, partition: Iterable[exp.Expr], order: list[exp.Ordered]
) -> exp.Window:
    window = exp.Window(this=value, partition_by=list(partition), over="OVER")
    if order:
        window.set("order", exp.Order(expressions=order))
    return window


def _aliased(value: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(value, name, quoted=True)
