"""Whose rows a group rests on, where several members hold a table.

Rule: the recipient knows its own rows, so nobody in them counts as a person behind a group, and
they don't make it a member among whom the persons are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.sources import Placement
from cleanroom.query.totals import Total, Totals
from cleanroom.sql import operators
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, tables
from cleanroom.sql.tables import member_column


@dataclass(frozen=True, slots=True)
class Members:
    """Attributes: least: members besides the recipient that a group's rows must come from.

    `own` are tables of which the recipient holds a part, `shared` all that several members hold.
    """

    recipient: str = ""
    least: int = 1
    own: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    @classmethod
    def of(cls, terms: Terms, recipient: str) -> "Members":
        """Return what a contract asks for; whose rows they are matters where persons count."""
        counted, least = terms.privacy.min_group > 1, terms.privacy.min_members
        shared = frozenset(name for name in terms.tables if len(terms.owners(name)) > 1)
        own = frozenset(name for name in shared if counted and recipient in terms.owners(name))
        return cls(recipient, least, own, shared)

    def check(self, query: Query) -> None:
        """Refuse queries of which nobody could tell whose rows are behind a group.

        Raises:
            UnsupportedQuery: for subqueries that group rows of several members, or number them.
        """
        asked = self.shared if self.least > 1 else self.own
        for table in query.tables:
            if table.view is not None and any(use.table in asked for use in table.view.uses):
                why = f"min_members = {self.least}" if self.least > 1 else "min_group"
                what = f"a subquery over rows of several members, with {why}"
                whose = "" if self.least > 1 else f", of whom {self.recipient} is one"
                raise UnsupportedQuery(f"{what}{whose}")

    def person(self, query: Query, table: int, person: Expr) -> Expr:
        """Return who counts as a person behind a row: nobody in the recipient's own part."""
        if query.tables[table].name not in self.own:
            return person
        whose = self._member(query, table)
        others = operators.compare("<>", whose, operators.literal(self.recipient))
        return operators.case(((others, person),), None)

    def held(
        self, query: Query, placement: Placement, totals: Totals
    ) -> tuple[tuple[str, ...], ...]:
        """Return, for each shared table, the sums that say how many rows each other member has.

        Raises:
            UnsupportedQuery: if that isn't known, or can never be enough.
        """
        if self.least == 1:
            return ()
        rows = {t for s in placement.shown for t in placement.sources[s].tables}
        core = {t for s in placement.root.sources for t in placement.sources[s].core}
        asked = [t for t in sorted(rows) if query.tables[t].name in self.shared]
        if not set(asked) <= core or any(link.kind == "full" for link in placement.root.links):
            what = "an outer join of a table of several members"
            raise UnsupportedQuery(f"{what}, with min_members = {self.least}")
        return tuple(tuple(self._held(query, table, totals)) for table in asked)

    def parts(
        self, query: Query, totals: Totals, arg: Expr, total: Total
    ) -> Iterator[tuple[str, ...]]:
        """Yield, for each shared table that a sum adds up, the sums of each other member's rows.

        Raises:
            UnsupportedQuery: if only one other member holds the table: the sum is that one's.
        """
        for table in sorted(tables(arg)):
            found = query.tables[table]
            if found.name not in self.shared:
                continue
            others = [owner for owner in found.owners if owner != self.recipient]
            if len(others) == 1:
                what = f"{total.meaning}, {others[0]}'s alone beside {self.recipient}'s own"
                raise UnsupportedQuery(what)
            whose = self._member(query, table)
            yield tuple(
                totals.part(_where(whose, owner, arg), f"{total.meaning} of {owner}").name
                for owner in others
            )

    def _held(self, query: Query, table: int, totals: Totals) -> Iterator[str]:
        found, whose = query.tables[table], self._member(query, table)
        others = [owner for owner in found.owners if owner != self.recipient]
        if len(others) < self.least:
            what = f"min_members = {self.least} on {found.name}, which {len(others)} others hold"
            raise UnsupportedQuery(what)
        for owner in others:
            one = _where(whose, owner, operators.literal(1))
            yield totals.held(one, f"rows of {owner}").name

    def _member(self, query: Query, table: int) -> Expr:
        column = next(iter(member_column(table, query.tables[table]).values()), None)
        if column is None:
            what = f"{query.tables[table].name}, which declares a column 'member' of its own"
            raise UnsupportedQuery(f"{what}: nobody could tell whose rows are the recipient's")
        return column


def _where(whose: Expr, owner: str, value: Expr) -> Expr:
    """Return a value in one member's rows, NULL in all others."""
    same = operators.compare("=", whose, operators.literal(owner))
    return operators.case(((same, value),), None)


NOBODY = Members()
