"""A room as one of its members holds it in Python: the linkages that its contract has, and how
well each links.

Rule: what a caller may call. How well it links is asked as any query is, under the same rules.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from cleanroom.contract.columns import TableTerms
from cleanroom.contract.linkages import LEFT, RIGHT, RUNG, SIDES, Side
from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.quality import LINKED, PERSONS, Quality
from cleanroom.recipient.queries import Manner, Query
from cleanroom.recipient.standing import Standing
from cleanroom.sql.names import nearest

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.explanation import Explanation

_COLUMNS = {"left": LEFT, "right": RIGHT}


class Linkages(Standing):
    """Which rows of two owners are of one person, and how well that is found."""

    def linkages(self) -> "pd.DataFrame":
        """Return every linkage of the contract: its tables, its rungs, and who may use it."""
        import pandas as pd

        rows = [
            {
                "linkage": name,
                "left": linkage.left,
                "right": linkage.right,
                "rungs": "; ".join(linkage.rungs_in_words),
                "to": ", ".join(linkage.to),
            }
            for name, linkage in self.contract.terms.linkages.items()
        ]
        return pd.DataFrame(rows, columns=["linkage", "left", "right", "rungs", "to"])

    def explain_link(
        self,
        name: str,
        *,
        by: Iterable[str] = (),
        purpose: str = "",
        min_group: int = 1,
        offline: bool = False,
    ) -> "tuple[Explanation, ...]":
        """Return who would learn what, at which cost, and how members rule, for each query.

        Args:
            name, by, purpose, min_group: as in `link`; offline: as in `explain`.

        Raises:
            UnknownName, UnsupportedQuery: as the message says.
        """
        asked = self._asked(name, _names(by), purpose, min_group)
        return tuple(query.explain(offline=offline) for query in asked)

    def link(
        self,
        name: str,
        *,
        by: Iterable[str] = (),
        purpose: str = "",
        min_group: int = 1,
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Quality:
        """Return how many persons of either side each rung links, and how many none does.

        Four queries, two a side: its persons counted by rung, and whether they are linked at all by
        further columns of theirs. All of it is under the contract's rules of release; who is
        linked stays secret.

        Args:
            name: of the contract's linkage.
            by: columns of both tables, as "sex": then rates are told for each of their values.
            purpose, min_group, deadline_s, on_progress: as in `sql`; the deadline is each query's.

        Raises:
            UnknownName: if there is no such linkage or column.
            CleanroomError: as `sql`.
        """
        by = _names(by)
        asked = self._asked(name, by, purpose, min_group)
        results = [query.ask(None, deadline_s, on_progress) for query in asked]
        by_rung, by_group = (dict(zip(SIDES, results[i : i + 2], strict=True)) for i in (0, 2))
        return Quality(by_rung, by_group, by, self.contract.terms.linkages[name].rungs_in_words)

    def _asked(
        self, name: str, by: tuple[str, ...], purpose: str, min_group: int
    ) -> tuple[Query, ...]:
        """Return the queries by rung, then those by subgroup; the left side's first."""
        terms = self.contract.terms
        if name not in terms.linkages:
            remedy = f"It has {', '.join(terms.linkages) or 'none'}."
            raise UnknownName(f"no linkage {name!r} in the contract", remedy=remedy)
        texts = [_counted(name, terms, side, f"l.{RUNG}", ()) for side in SIDES]
        is_linked = f"l.{RUNG} IS NOT NULL AS {LINKED}"
        texts += [_counted(name, terms, side, is_linked, by) for side in SIDES]
        return tuple(
            Query.of(self._client, text, Manner("mpc", purpose=purpose, min_group=min_group))
            for text in texts
        )


def _counted(name: str, terms: Terms, side: Side, told: str, by: tuple[str, ...]) -> str:
    """Return the text that counts the persons of one side by what is told of them."""
    table = terms.linkages[name].table(side)
    held = terms.tables[table]
    keys = [*(f"p.{column}" for column in _checked(by, table, held)), told]
    places = ", ".join(str(place + 1) for place in range(len(keys)))
    return (
        f"SELECT {', '.join(keys)}, COUNT(*) AS {PERSONS} FROM {table} p "  # noqa: S608 - checked
        f"LEFT JOIN {name} l ON p.{held.person} = l.{_COLUMNS[side]} GROUP BY {places}"
    )


def _names(by: Iterable[str]) -> tuple[str, ...]:
    return (by,) if isinstance(by, str) else tuple(by)


def _checked(by: tuple[str, ...], table: str, held: TableTerms) -> Iterator[str]:
    """Yield names of columns; none but the contract's get into the text."""
    for column in by:
        if column not in held.columns:
            remedy = nearest(column, held.columns)
            raise UnknownName(f"no column {column!r} in {table}", remedy=remedy)
        yield column
