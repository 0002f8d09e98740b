"""What the contract asks for before groups are opened, worked out for one query.

Rule: each rule names the columns of the plan that it tests or changes; what it can't be worked out
for is refused by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.contract.terms import Terms
from cleanroom.plan.controls import Held, Rounding
from cleanroom.query.counting import check_sums, is_count
from cleanroom.query.members import NOBODY, Members
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.sql.bind import Query


@dataclass(frozen=True, slots=True)
class Controls:
    """The rules beyond min_group that hold for one recipient's query.

    Attributes:
        base, midpoint, redact: as in `Rounding`; 1 and 0 leave counts as they are.
    """

    base: int = 1
    midpoint: bool = False
    redact: int = 0
    members: Members = NOBODY

    @classmethod
    def of(cls, terms: Terms, recipient: str) -> "Controls":
        """Return what a contract says; nothing unless it releases by such rules."""
        privacy = terms.privacy
        if privacy.release != "sdc":
            return UNCONTROLLED
        members = Members.of(terms, recipient)
        return cls(privacy.round_to, privacy.rounding == "midpoint", privacy.redact, members)

    @property
    def rounds(self) -> bool:
        return self.base > 1 or self.redact > 0

    def check(self, query: Query) -> None:
        """Refuse a query that would get around the rules.

        Raises:
            UnsupportedQuery: naming what does.
        """
        self.members.check(query)
        if self.rounds:
            check_sums(query)

    def held(self, query: Query, placement: Placement, totals: Totals) -> tuple[Held, ...]:
        """Return whose rows a group needs; asks for the columns that tell."""
        counts = self.members.held(query, placement, totals)
        return tuple(Held(self.members.least, names) for names in counts)

    def rounding(self, totals: Totals, statistics: Statistics, rows: int) -> Rounding | None:
        """Return which columns are rounded, of at most `rows` joined rows.

        Raises:
            OverflowPossible: if a count may be too large for it.
        """
        if not self.rounds:
            return None
        counts = dict(_counts(totals, statistics))
        found = Rounding(tuple(counts), self.base, self.midpoint, self.redact)
        for meaning in counts.values():
            found.check(rows, meaning)
        return found


UNCONTROLLED = Controls()


def _counts(totals: Totals, statistics: Statistics) -> Iterator[tuple[str, str]]:
    """Yield columns that are counts, and what they mean."""
    for (kind, arg), total in totals.found.items():
        if kind == "count" or (arg is not None and is_count(arg.domain)):
            yield total.name, total.meaning
    for (kind, _), distinct in statistics.distincts.items():
        if kind == "count":
            yield distinct.name, "COUNT(DISTINCT)"
