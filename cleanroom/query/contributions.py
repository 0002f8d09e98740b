"""How many rows of a question one person can have a part in: proven by the contract, or refused.

Rule: persons are tied by equalities of person columns alone, so a person's rows meet no other
person's. Where each table bounds a person's rows, what is left of them after joins is bounded too.
"""

from cleanroom.errors import UnsupportedQuery
from cleanroom.query.equalities import Equalities, is_equality
from cleanroom.query.sources import person_of
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import bare
from cleanroom.sql.parts import Attached, Part

NOISY = "under release = 'dp'"


def rows_of_a_person(query: Query) -> int:
    """Return the most rows, of all owners together, that change if one person comes or goes.

    Raises:
        UnsupportedQuery: if nothing bounds them, naming the table.
    """
    if any(table.view is not None or table.local is not None for table in query.tables):
        what = "an aggregation, a window function or a UNION inside another query"
        remedy = "Ask for totals of tables, grouped and joined on the person."
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=remedy)
    return _rows(query, query.part, Equalities(), person_of(query, query.part.tables[0]))


def is_person(query: Query, expr: Expr) -> bool:
    """Whether an expression is the person column of one of the tables."""
    return any(bare(expr) == person_of(query, table) for table in range(len(query.tables)))


def _rows(query: Query, part: Part, equal: Equalities, person: Expr) -> int:
    for condition in part.where:
        if part.is_core(condition):
            _tie(equal, condition)
    rows = 1
    for table in part.tables:
        if equal.root(person_of(query, table)) != equal.root(person):
            names = f"{query.tables[table].name} joined on anything but the person"
            remedy = "Join the tables' person columns by equality: others' rows would change, too."
            raise UnsupportedQuery(f"{names} {NOISY}", remedy=remedy)
        rows *= _limit(query, table)
    for joined in part.attached:
        below = _attached(query, joined, equal.copy(), person)
        rows *= below if joined.kind == "left" else 1
    return rows


def _attached(query: Query, joined: Attached, equal: Equalities, person: Expr) -> int:
    if joined.kind in ("full", "not in"):
        what = "NOT IN" if joined.kind == "not in" else "a FULL JOIN"
        remedy = "Use NOT EXISTS." if joined.kind == "not in" else "Use a LEFT JOIN."
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=remedy)
    for condition in joined.on:
        _tie(equal, condition)
    return _rows(query, joined.part, equal, person)


def _tie(equal: Equalities, condition: Expr) -> None:
    if is_equality(condition):
        equal.join(*map(bare, condition.args))


def _limit(query: Query, table: int) -> int:
    """Return the most rows of one person in one table, at all owners."""
    found = query.tables[table]
    limit = found.terms.max_rows_per_person
    if limit is None:
        remedy = "All members sign a contract with max_rows_per_person for it."
        what = f"{found.name}, of which a person may have any number of rows,"
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=remedy)
    owners = len(found.owners)
    return limit * min(owners, found.terms.owners_per_person or owners)
