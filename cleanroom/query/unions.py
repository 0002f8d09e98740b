"""UNION ALL of subqueries, lowered: rows of any owners, in columns of one encoding.

Rule: rows of different branches whose persons have equal values are of one person. That counts
no person twice where two owners' numbers mean different people; where linkages tell that they mean
the same, see `numberings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.nodes import Compute, Computed, Union
from cleanroom.query import local
from cleanroom.query.columns import Bits, Columns, deliver_something
from cleanroom.query.numberings import check_numberings
from cleanroom.query.persons import Persons
from cleanroom.query.reshape import column_of
from cleanroom.query.restricting import facts_of_rows, facts_of_union
from cleanroom.query.sources import Placement
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.query.uses import row_uses
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import Domain, union
from cleanroom.sql.encode import Encoding, choose
from cleanroom.sql.expr import Expr
from cleanroom.sql.inner_rows import check_names
from cleanroom.sql.view import PERSON, View, ViewColumn


@dataclass(slots=True)
class _Branch:
    """One SELECT; Attributes: person: its rows' only person."""

    query: Query
    placement: Placement
    columns: Columns
    units: Units
    person: Expr | None = None

    @classmethod
    def of(cls, query: Query, placement: Placement, min_group: int) -> "_Branch":
        columns = Columns.of(placement, (o.expr for o in query.outputs))
        units = Units(columns)
        units.register(placement.root)
        branch = cls(query, placement, columns, units)
        if min_group > 1:
            branch.person = branch._only_person()
        return branch

    def _only_person(self) -> Expr:
        shown = tuple(output.expr for output in self.query.outputs)
        persons = Persons(self.query, self.columns, self.units, preferred=shown)
        persons.collect()
        if len(persons.found) != 1 or persons.optional:
            what = "a branch of UNION ALL whose rows are of several persons, with min_group > 1"
            raise UnsupportedQuery(what, remedy="Join tables on their person columns.")
        named = (b for bits in self.columns.bits for b in bits.values())
        return next(b.expr for b in named if b.column.name == persons.found[0])

    def column(self, expr: Expr, encoding: Encoding) -> Bits:
        """Ask for an expression in the encoding of all branches."""
        if expr.op == "literal" and expr.value is None:
            expr = replace(expr, domain=replace(encoding.domain, nullable=True))
        if self.placement.source_of(expr) is None:
            what = "a column over several owners in a branch of UNION ALL"
            raise UnsupportedQuery(what, remedy="Select the columns, and compute outside.")
        return self.columns.compared(expr, encoding)


def lower_union(parts: Sequence[tuple[Query, Placement]], min_group: int) -> View:
    """Lower the placed branches of a UNION ALL.

    Raises:
        UnsupportedQuery: if columns don't fit each other, a row has several persons, or a person
            may have several numbers.
    """
    check_names(parts[0][0].outputs)
    branches = [_Branch.of(query, placement, min_group) for query, placement in parts]
    wanted = _lined_up([[o.expr for o in b.query.outputs] for b in branches])
    outputs = [output.name for output in branches[0].query.outputs]
    names, wanted, person = _with_person(branches, outputs, wanted)
    found = [_column(i, exprs) for i, exprs in enumerate(wanted)]
    node, rows = _rows(branches, wanted, found)
    shown = {
        name: _shown(column, encoding, _base(branches, exprs))
        for name, (column, encoding), exprs in zip(names, found, wanted, strict=True)
    }
    limits = [local.rows_per_person(b.query, b.placement) for b in branches]
    limit = sum(n or 0 for n in limits) if person and None not in limits else None
    uses = {use for b in branches for use in row_uses(b.query, b.placement, ())}
    below = [(b.query, facts_of_rows(b.query, b.placement, {})) for b in branches]
    facts = facts_of_union(below, outputs)
    return View(node, shown, rows, person, limit, None, tuple(sorted(uses)), facts)


def _with_person(
    branches: list[_Branch], names: list[str], wanted: list[tuple[Expr, ...]]
) -> tuple[list[str], list[tuple[Expr, ...]], str | None]:
    """Return the columns with one of persons, if they count, and its name."""
    people = [b.person for b in branches if b.person is not None]
    if not people:
        return names, wanted, None
    check_numberings([(b.query, b.placement, p) for b, p in zip(branches, people, strict=True)])
    shown = next((name for name, e in zip(names, wanted, strict=True) if list(e) == people), None)
    if shown is not None:
        return names, wanted, shown
    return [*names, PERSON], [*wanted, tuple(people)], PERSON


def _rows(
    branches: list[_Branch],
    wanted: list[tuple[Expr, ...]],
    found: list[tuple[BitsColumn, Encoding]],
) -> tuple[Union, int]:
    """Return all branches' rows in these columns, and a bound on how many there are."""
    asked = list(zip(wanted, found, strict=True))
    made = [
        [branch.column(exprs[i], encoding) for exprs, (_, encoding) in asked]
        for i, branch in enumerate(branches)
    ]
    nodes, rows = [], 0
    for branch, bits in zip(branches, made, strict=True):
        deliver_something(branch.query, branch.columns)
        built = Tree(branch.query, branch.columns, ()).build(branch.units)
        pairs = zip(found, bits, strict=True)
        columns = tuple(Computed(column, b.column.name) for (column, _), b in pairs)
        nodes.append(Compute(built.node, None, columns, ()))
        rows += min(built.rows, built.slots)
    return Union(tuple(nodes)), rows


def _lined_up(branches: list[list[Expr]]) -> list[tuple[Expr, ...]]:
    """Return, for each column, its expression in every branch."""
    if len({len(exprs) for exprs in branches}) > 1:
        raise UnsupportedQuery("UNION ALL of SELECTs with different numbers of columns")
    return list(zip(*branches, strict=True))


def _column(place: int, exprs: tuple[Expr, ...]) -> tuple[BitsColumn, Encoding]:
    domain: Domain = union(e.domain for e in exprs)
    encoding = choose(domain, opened=True)
    nullable = any(e.domain.nullable for e in exprs)
    return BitsColumn(f"a{place}", encoding.bits, nullable, encoding.low), encoding


def _shown(column: BitsColumn, encoding: Encoding, base: tuple[tuple[str, str], ...]) -> ViewColumn:
    domain = replace(encoding.domain, nullable=column.nullable)
    terms, known = column_of(column.name, column, encoding)
    return ViewColumn(domain, column.name, encoding, terms, known, base)


def _base(branches: list[_Branch], exprs: tuple[Expr, ...]) -> tuple[tuple[str, str], ...]:
    pairs = zip(branches, exprs, strict=True)
    return tuple(dict.fromkeys(b for branch, e in pairs for b in local.base(branch.query, e)))
