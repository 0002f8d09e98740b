"""From a bound query to the sets of rows that it is about, one for each table of the contract.

Rule: a set is what FROM and WHERE let through. Conditions count as fulfilled by every row of a
table only where they stand in WHERE, and the query names the table once.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from cleanroom.plan.restrictions import Base, Facts, Restriction
from cleanroom.plan.rowsets import RowSet
from cleanroom.query.canonical import Canonical, Form, digest
from cleanroom.query.constants import chosen
from cleanroom.query.origins import is_plain, origin
from cleanroom.sql.bind import Query
from cleanroom.sql.missing import bare
from cleanroom.sql.windows import Call

MAX_KEPT = 16_000  # characters of constants


def row_sets(query: Query, facts: Facts, without: tuple[str, ...] = ()) -> tuple[RowSet, ...]:
    """Return the rows of each table that a query is about.

    Args:
        without: members whose rows are left out.
    """
    canonical = Canonical(query)
    shape = digest([canonical.rows(), *without])
    keys = [canonical.text(key) for key in query.own_keys if not is_plain(query, key)]
    parts = digest(sorted(keys)) if keys else ""
    found = []
    for name in sorted(set(facts.tables)):
        single = facts.tables.count(name) == 1
        held = tuple(_together(_held(query, name))) if single else ()
        if sum(len(value) for one in held for value in one.values) > MAX_KEPT or len(held) > 100:
            held = ()  # such a set is equal to itself, and proven apart from no other
        found.append(RowSet(name, shape, parts, facts.whole, held))
    return tuple(found)


def shape_of(query: Query, calls: Collection[tuple[str, Call]] = ()) -> str:
    """Return a hash of a subquery: all that decides its rows and columns."""
    canonical = Canonical(query)
    keys = [canonical.text(key) for key in query.keys]
    having = sorted(canonical.text(condition) for condition in query.having)
    outputs = sorted([output.name, canonical.text(output.expr)] for output in query.outputs)
    windows = [_window(canonical, name, call) for name, call in calls]
    return digest([canonical.rows(), keys, having, outputs, windows])


def _window(canonical: Canonical, name: str, call: Call) -> Form:
    arg = "" if call.arg is None else canonical.text(call.arg)
    partition = sorted(canonical.text(expr) for expr in call.partition)
    order = [[canonical.text(o.expr), f"{o.descending} {o.nulls_first}"] for o in call.order]
    return [name, call.kind, arg, str(call.distance), partition, order]


def _together(found: Iterable[Restriction]) -> Iterator[Restriction]:
    """Make one range of all on a column."""
    ranges: dict[Base, Restriction] = {}
    for one in sorted(set(found)):
        if one.how != "range":
            yield one
        elif (other := ranges.get(one.base)) is None:
            ranges[one.base] = one
        else:
            low, high = max(one.low, other.low), min(one.high, other.high)
            ranges[one.base] = replace(one, low=low, high=high)
    yield from ranges.values()


def _held(query: Query, name: str) -> Iterator[Restriction]:
    """Yield the conditions that every row of a table fulfils that is in the result."""
    own = [index for index in query.part.tables if query.tables[index].name == name]
    for condition in query.part.where:
        one = chosen(condition)
        if one is None or bare(one.column).reference[0] not in own:
            continue
        of = origin(query, one.column)
        for base in of.own if of.plain else ():
            yield Restriction(*base, one.how, "", True, one.values, one.low, one.high)
