"""What the contract asks for before groups are opened, worked out for one query.

Rule: each rule names the columns of the plan that it tests or changes; what it can't be worked out
for is refused by name.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.controls import Complement, Dominance, Held, Rounding
from cleanroom.plan.nodes import Aggregate
from cleanroom.query.counting import aggregates, check_sums, is_count
from cleanroom.query.members import NOBODY, Members
from cleanroom.query.nested import groups_of
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Total, Totals
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.expr import Expr
from protocols.rep3.dominance import SCALE, Limits
from protocols.rep3.rounding import Rule

Owned = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Controls:
    """The rules beyond min_group that hold for one recipient's query.

    Attributes:
        rule: what becomes of counts; None leaves them as they are.
        limits: what the largest contributors may have of a sum; None if that isn't tested.
        members: whose rows count.
        complementary: whether groups that are withheld are protected from totals.
        rules: all that the contract asks for, for whoever rules on the plan.
    """

    rule: Rule | None = None
    limits: Limits | None = None
    members: Members = NOBODY
    complementary: bool = False
    rules: tuple[str, ...] = ()

    @classmethod
    def of(cls, terms: Terms, recipient: str) -> "Controls":
        """Return what a contract says; nothing unless it releases by such rules."""
        privacy = terms.privacy
        if privacy.release != "sdc":
            return UNCONTROLLED
        rule = Rule(privacy.round_to, privacy.rounding == "midpoint", privacy.redact)
        limits = Limits(privacy.top_two, privacy.p_percent)
        return cls(
            None if rule == Rule() else rule,
            None if limits == Limits() else limits,
            Members.of(terms, recipient),
            privacy.complementary == "on",
            privacy.tested,
        )

    def counted(self, min_group: int) -> bool:
        """Whether persons are counted at all."""
        return min_group > 1 or self.limits is not None or self.members.least > 1

    def check(self, query: Query, min_group: int) -> None:
        """Refuse a query that would get around the rules.

        Raises:
            UnsupportedQuery: naming what does.
        """
        self.members.check(query)
        if self.rule is not None:
            check_sums(query)
            inner = any(table.view or table.local for table in query.tables)
            if min_group == 1 and inner:
                what = "a subquery's groups in conditions, where counts are rounded"
                raise UnsupportedQuery(f"{what} and min_group is 1: they would tell them exactly")
        if self.limits is not None and any(
            one.value in ("sum_distinct", "avg_distinct") for one in aggregates(query)
        ):
            raise UnsupportedQuery("SUM(DISTINCT), of which no person has a part that can be told")

    def complement(
        self, grouped: Aggregate, optional: Collection[int], min_group: int
    ) -> Complement | None:
        """Return how withheld groups are protected; with one group there are no totals."""
        if not (self.complementary and grouped.keys and self.counted(min_group)):
            return None
        always = [i for i in range(len(grouped.persons)) if i not in optional]
        lines = None if grouped.carried or len(grouped.keys) > 2 else grouped.keys
        persons = tuple(f"person_{i}" for i in always or range(len(grouped.persons)))
        return Complement(lines, persons, max(min_group, 2))

    def held(self, query: Query, placement: Placement, totals: Totals) -> tuple[Held, ...]:
        """Return whose rows a group needs; asks for the columns that tell."""
        counts = self.members.held(query, placement, totals)
        return tuple(Held(self.members.least, names) for names in counts)

    def owned(self, query: Query, totals: Totals) -> Owned:
        """Return the members' own parts of each sum; asks for the columns that tell."""
        if self.limits is None or self.limits.top_two == 100:
            return ()
        sums = [(arg, total) for arg, total in _sums(totals)]
        return tuple(
            names for arg, total in sums for names in self.members.parts(query, totals, arg, total)
        )

    def dominance(
        self, query: Query, totals: Totals, owned: Owned, rows: int
    ) -> Dominance | None:
        """Return which sums nobody may dominate, of at most `rows` joined rows.

        Raises:
            OverflowPossible: if a sum may be too large to be tested.
        """
        if self.limits is None:
            return None
        sums = {total.name: (arg, total) for arg, total in _sums(totals)}
        if not sums:
            return None
        for _, total in sums.values():
            if (reach := SCALE * total.bound(rows)) >= LIMIT:
                what = f"{SCALE} times {total.meaning} may reach {reach}; below {LIMIT} is safe"
                raise OverflowPossible(f"{what} to test who dominates it")
        signed = tuple(name for name, (arg, _) in sums.items() if arg.domain.low < 0)
        limits = self.limits.top_two, self.limits.p_percent
        return Dominance(tuple(sums), signed, *limits, groups_of(query, rows), owned)

    def rounding(self, totals: Totals, statistics: Statistics, rows: int) -> Rounding | None:
        """Return which columns are rounded, of at most `rows` joined rows.

        Raises:
            OverflowPossible: if a count may be too large for it.
        """
        if self.rule is None:
            return None
        counts, rule = dict(_counts(totals, statistics)), self.rule
        found = Rounding(tuple(counts), rule.base, rule.midpoint, rule.redact)
        for meaning in counts.values():
            found.check(rows, meaning)
        return found


UNCONTROLLED = Controls()


def _counts(totals: Totals, statistics: Statistics) -> Iterator[tuple[str, str]]:
    """Yield columns that are counts, and what they mean."""
    for (kind, arg), total in totals.found.items():
        if kind == "count" or (kind == "sum" and arg is not None and is_count(arg.domain)):
            yield total.name, total.meaning
    for (kind, _), distinct in statistics.distincts.items():
        if kind == "count":
            yield distinct.name, "COUNT(DISTINCT)"


def _sums(totals: Totals) -> Iterator[tuple[Expr, Total]]:
    """Yield the totals and summands that aren't counts, with what they add up."""
    for arg, total in totals.tested():
        if not is_count(arg.domain):
            yield arg, total
