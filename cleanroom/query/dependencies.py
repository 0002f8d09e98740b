"""Which values follow from which: what makes rows unique, and some keys of a GROUP BY idle.

Rule: facts that the contract or an inner GROUP BY states, never guesses. A table with one row a
person is determined by its person, an inner aggregation by its keys; whatever conditions make
equal to a column of a determined table is known too.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from cleanroom.query.sources import Placement, others_of, person_of
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, column, tables
from cleanroom.sql.missing import sides


@dataclass(frozen=True, slots=True)
class Dependencies:
    query: Query
    placement: Placement

    def determined(self, known: Iterable[Expr], among: Iterable[int]) -> frozenset[int]:
        """Return the tables of which one row at most goes with given values."""
        found: frozenset[int] = frozenset()
        roots = self._roots(known)
        left = list(among)
        while more := [t for t in left if self._is_determined(t, roots, found)]:
            found |= set(more)
            left = [t for t in left if t not in found]
        return found

    def telling(
        self, exprs: Iterable[Expr], among: Iterable[int], known: tuple[Expr, ...] = ()
    ) -> frozenset[Expr]:
        """Return expressions from which, and from `known`, all others follow.

        The first ones are left out first; without `known` one stays.
        """
        kept, among = list(dict.fromkeys(exprs)), tuple(among)
        for expr in tuple(kept):
            rest = (*known, *(e for e in kept if e != expr))
            if rest and self.follows(expr, rest, among):
                kept.remove(expr)
        return frozenset(kept)

    def follows(self, expr: Expr, known: Collection[Expr], among: Iterable[int]) -> bool:
        """Whether `expr` has one value at most for given ones, in rows with all of `among`."""
        if sides(expr):
            return expr in known
        return self._is_known(expr, self._roots(known), self.determined(known, among))

    def _roots(self, known: Iterable[Expr]) -> frozenset[Expr]:
        return frozenset(self.placement.equal.root(e) for e in known if not sides(e))

    def _is_known(self, expr: Expr, roots: frozenset[Expr], found: frozenset[int]) -> bool:
        return any(
            e in roots or (tables(e) and tables(e) <= found)
            for e in (self.placement.equal.root(expr), *self.placement.equal.members(expr))
        )

    def _is_determined(self, table: int, roots: frozenset[Expr], found: frozenset[int]) -> bool:
        return any(
            all(self._is_known(e, roots, found) for e in key) for key in self._keys(table)
        )

    def _keys(self, index: int) -> Iterator[tuple[Expr, ...]]:
        """Yield sets of expressions of which no two rows of a table have the same values."""
        table = self.query.tables[index]
        if table.view is not None and table.view.unique is not None:
            columns = table.view.columns
            yield tuple(column(index, name, columns[name].domain) for name in table.view.unique)
        if len(table.owners) == 1 and table.terms.max_rows_per_person == 1:
            yield (person_of(self.query, index),)
        for other in others_of(self.query, index):
            yield (other,)
