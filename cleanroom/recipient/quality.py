"""How well a linkage links, as its recipient reads it: persons by rung, and rates by subgroup.

Rule: arithmetic on what was released, and no more: what can't be told from it is missing.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from cleanroom.contract.linkages import RUNG, SIDES, Side

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.result import Result

PERSONS, LINKED = "persons", "linked"
Row: TypeAlias = dict[str, Any]


class Quality:
    """What was counted on both sides of a linkage.

    Attributes:
        by_rung, by_group: the results of either side's queries, as any query's.
        suppressed: how many groups of persons were withheld in all.
    """

    def __init__(
        self,
        by_rung: "Mapping[Side, Result]",
        by_group: "Mapping[Side, Result]",
        by: tuple[str, ...],
        rungs: tuple[str, ...],
    ) -> None:
        self.by_rung, self.by_group = by_rung, by_group
        results = (*by_rung.values(), *by_group.values())
        self.suppressed = sum(result.suppressed for result in results)
        self._by, self._rungs = list(by), rungs

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row for each side and rung: how many persons it linked.

        Columns: side, rung (missing: persons whom none linked), linked_by (what the rung compares,
        "" for none) and persons (missing where few are redacted).
        """
        rows = [row for side in SIDES for row in self._by_rung(side)]
        return _frame(rows, ("side", RUNG, "linked_by", PERSONS), (RUNG, PERSONS))

    def rates(self) -> "pd.DataFrame":
        """Return one row for each side and subgroup: linked and unlinked persons, and the rate.

        A number is missing where it was redacted or withheld, or may have been.
        """
        rows = [row for side in SIDES for row in self._by_group(side)]
        columns = ("side", *self._by, LINKED, f"un{LINKED}", "rate")
        return _frame(rows, columns, (LINKED, f"un{LINKED}"))

    def _by_rung(self, side: Side) -> Iterator[Row]:
        found = {row[RUNG]: row[PERSONS] for row in self.by_rung[side].to_arrow().to_pylist()}
        for rung in sorted(found, key=lambda n: n or len(self._rungs) + 1):
            linked_by = self._rungs[rung - 1] if rung else ""
            yield {"side": side, RUNG: rung, "linked_by": linked_by, PERSONS: found[rung]}

    def _by_group(self, side: Side) -> Iterator[Row]:
        result = self.by_group[side]
        found: dict[tuple[object, ...], dict[bool, Any]] = {} if self._by else {(): {}}
        for row in result.to_arrow().to_pylist():
            group = tuple(row[name] for name in self._by)
            found.setdefault(group, {})[row[LINKED]] = row[PERSONS]
        nobody = None if result.suppressed else 0  # a group that isn't told may be a withheld one
        for group in sorted(found, key=str):
            linked, unlinked = (found[group].get(which, nobody) for which in (True, False))
            rate = _rate(linked, unlinked)
            named = dict(zip(self._by, group, strict=True))
            yield {"side": side, **named, LINKED: linked, f"un{LINKED}": unlinked, "rate": rate}

    def __repr__(self) -> str:
        return f"Quality(rungs={len(self._rungs)}, suppressed={self.suppressed})"


def _rate(linked: int | None, unlinked: int | None) -> float | None:
    if linked is None or unlinked is None or linked + unlinked == 0:
        return None
    return linked / (linked + unlinked)


def _frame(rows: list[Row], columns: tuple[str, ...], whole: tuple[str, ...]) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(columns))
    types = {name: "Int64" for name in whole} | ({"rate": "Float64"} if "rate" in columns else {})
    return table.astype(types)
