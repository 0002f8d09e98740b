"""What the contract asks for before groups are opened, worked out for one query.

Rule: each rule names the columns of the plan that it tests or changes; what it can't be worked out
for is refused by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.contract.privacy import PrivacyTerms
from cleanroom.plan.controls import Rounding
from cleanroom.query.counting import check_sums, is_count
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

    @classmethod
    def of(cls, privacy: PrivacyTerms) -> "Controls":
        """Return what a contract says; nothing unless it releases by such rules."""
        if privacy.release != "sdc":
            return UNCONTROLLED
        return cls(privacy.round_to, privacy.rounding == "midpoint", privacy.redact)

    @property
    def rounds(self) -> bool:
        return self.base > 1 or self.redact > 0

    def check(self, query: Query) -> None:
        """Refuse a query that would get around the rules.

        Raises:
            UnsupportedQuery: naming what does.
        """
        if self.rounds:
            check_sums(query)

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
