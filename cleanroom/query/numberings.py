"""Whose numbers name persons in a UNION ALL that goes through linkages: nobody may have two.

Rule: without linkages numbers are all that is known of persons. Through one, rows of one person
can be had under the numbers of either side, and would count as two persons: so branches name
persons by one owner's numbers, or one of them leaves out whom a linkage between the two links.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.linking import Linkage
from cleanroom.plan.plan import linkages_of
from cleanroom.query import local
from cleanroom.query.sources import Link, Placement, others_of, person_of
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr

Naming = tuple[Query, Placement, Expr]


@dataclass(frozen=True, slots=True)
class _Named:
    """Attributes: numberings: whose numbers; outside: linkages that link none of its persons."""

    numberings: frozenset[str]
    outside: frozenset[str]


def check_numberings(branches: Sequence[Naming]) -> None:
    """Check that no person has two numbers, as far as linkages tell.

    Args:
        branches: of each the query, its placement, and what names the person of a row.

    Raises:
        UnsupportedQuery: if rows of one person may be there under two numbers.
    """
    linkages = {one.name: one for query, _, _ in branches for one in _read(query)}
    if not linkages:
        return
    sides = [leaf.tables[0] for one in linkages.values() for leaf in (one.left, one.right)]
    among = {owner: {s for s in sides if _owner(s) == owner} for owner in map(_owner, sides)}
    named = [_named(one, among) for one in branches]
    between = {
        name: {_numbering(leaf.tables[0], among) for leaf in (one.left, one.right)}
        for name, one in linkages.items()
    }
    for first, second in combinations(named, 2):
        for a, b in product(first.numberings, second.numberings):
            links = {name for name, found in between.items() if found == {a, b}}
            apart = bool(links) and (links <= first.outside or links <= second.outside)
            if a != b and not apart:
                raise _twice()


def _twice() -> UnsupportedQuery:
    what = "a UNION ALL with a linkage, where one person may have two numbers, with min_group > 1"
    remedy = "Name persons by one side's numbers (left_id AS person), or leave out of the other "
    remedy += "branch whom the linkage links: person NOT IN (SELECT right_id FROM linkage)."
    return UnsupportedQuery(what, remedy=remedy)


def _named(branch: Naming, among: Mapping[str, Collection[str]]) -> _Named:
    query, placement, person = branch
    if _is_person(query, person):
        tables = {table for table, _ in local.base(query, person)}
        numberings = frozenset(_numbering(table, among) for table in tables)
    else:
        numberings = frozenset(".".join(base) for base in local.base(query, person))
    outside = {
        linkage.name
        for link in placement.root.links
        for linkage, side in _left_out(query, placement, link, person)
        if numberings == {_numbering(side, among)}
    }
    return _Named(numberings, frozenset(outside))


def _left_out(
    query: Query, placement: Placement, link: Link, person: Expr
) -> Iterator[tuple[Linkage, str]]:
    """Yield the linkage of which a side's persons, all of them, are left out, and that side."""
    unit = link.unit
    plain = not (unit.links or unit.before or unit.crossing or link.also)
    if link.kind not in ("anti", "not in") or not plain or len(link.keys) != 1:
        return
    ((outer, inner),), sources = link.keys, [placement.sources[s] for s in unit.sources]
    if len(sources) != 1 or len(sources[0].tables) != 1 or sources[0].where:
        return
    table = sources[0].tables[0]
    view = query.tables[table].view
    same = placement.equal.root(outer) == placement.equal.root(person)
    named = inner in (person_of(query, table), *others_of(query, table))
    if same and named and view is not None and isinstance(view.node, Linkage):
        ((side, _),) = local.base(query, inner)
        yield view.node, side


def _is_person(query: Query, expr: Expr) -> bool:
    tables = range(len(query.tables))
    return any(expr in (person_of(query, t), *others_of(query, t)) for t in tables)


def _read(query: Query) -> Iterator[Linkage]:
    for table in query.tables:
        if table.view is not None:
            yield from linkages_of(table.view.node)


def _owner(table: str) -> str:
    return table.partition(".")[0]


def _numbering(table: str, among: Mapping[str, Collection[str]]) -> str:
    """Return whose numbers a table's persons have: its owner's, or its own.

    Where linkages go from several tables of one owner, these have numbers of their own.
    """
    owner = _owner(table)
    return owner if len(among.get(owner, ())) < 2 else table
