"""A room as one of its members holds it in Python: what may be asked, and under which names.

Rule: what a caller may call. The calls behind it are the client's.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cleanroom.contract.columns import ColumnTerms
from cleanroom.plan.plan import Protocol
from cleanroom.recipient.client import DEADLINE_S, Client
from cleanroom.recipient.fits import Fits
from cleanroom.recipient.frames import Tables
from cleanroom.recipient.gates import Gates
from cleanroom.recipient.linkages import Linkages
from cleanroom.recipient.profiles import Profiles
from cleanroom.recipient.propagations import Propagations
from cleanroom.recipient.queries import Manner, Query
from cleanroom.recipient.reports import Reports
from cleanroom.recipient.result import Result
from cleanroom.recipient.templates import Templates

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.local.room import LocalRoom
    from cleanroom.recipient.explanation import Explanation


class Room(Templates, Fits, Gates, Linkages, Profiles, Propagations, Tables, Reports):
    """A room, as one of its members sees it. Thread-safe; close it after use."""

    def explain(
        self,
        sql: str,
        *,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        epsilon: float | None = None,
        min_group: int = 1,
        offline: bool = False,
    ) -> "Explanation":
        """Return who would learn what, at which cost, and how each member rules on it.

        Members compile and rule, and stop there: nothing is read, charged or computed.

        Args:
            protocol: as in `sql`; the sheet says what the other one would cost.
            without, purpose, epsilon, min_group: as in `sql`.
            offline: ask nobody. So it is, too, if the coordinator can't be reached: then the
                ruling is that of the contract alone.

        Raises:
            UnsupportedQuery, UnknownName, OverflowPossible: as the message says.
        """
        manner = Manner(protocol, without, purpose, epsilon, min_group)
        return Query.of(self._client, sql, manner).explain(offline=offline)

    def sql(
        self,
        sql: str,
        *,
        private: Mapping[str, Any] | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        epsilon: float | None = None,
        min_group: int = 1,
        fresh: bool = False,
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Run a query in the room and return what it opened.

        Args:
            private: what each :name of the query stands for, which nobody else learns: a list of
                values for column IN (:name), one value for column = :name.
            protocol: "mpc" computes on secret shares, "he" adds up ciphertexts, which gives the
                same answer where totals follow from sums; None takes the cheaper one, unless
                ciphertexts open more to this member than shares.
            without: members whose parts of federated tables are left out, say because they are
                away; only on ciphertexts, and if enough others contribute for the contract.
            purpose: for which of the contract's purposes; needed if it names some.
            epsilon: what it may cost of the privacy budget, where the contract says release =
                'dp': more means less noise. None costs the contract's `query_epsilon`.
            min_group: distinct persons behind every released cell, if an owner's own policy asks
                for more than the contract; on shares.
            fresh: ask again, and pay again, where the same noisy question was answered before;
                otherwise that answer is returned, and costs nothing.
            deadline_s: whole seconds until the session is given up everywhere, at most a day.
            on_progress: called on another thread with (stage, member).

        Raises:
            CleanroomError: its class says what happened, its party who is responsible.
            KeyboardInterrupt: after the session was ended everywhere.
        """
        manner = Manner(protocol, without, purpose, epsilon, min_group)
        query = Query.of(self._client, sql, manner)
        return query.ask(private, deadline_s, on_progress, fresh=fresh)

    def weighted_sum(
        self,
        table: str,
        column: str,
        *,
        weights: Mapping[Any, int | Decimal],
        largest: int | Decimal = 1000,
        measure: str | None = None,
        where: str | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
    ) -> int | Decimal:
        """Return the exact sum over a table's rows of secret weights of a column's values.

        Args:
            weights: for each value its weight, 0 if it isn't named; nobody else learns them.
            largest: public bound of every weight's absolute value; its decimal places are those
                that weights may have.
            measure: a column, or expression, that the weights multiply; by default rows count.
            where: a public condition on the rows.
            without, purpose: as in `sql`.

        Raises:
            CleanroomError: as `sql`; the contract must give the right `private_weights`.
        """
        arguments = (column, ":weights", str(largest), *(() if measure is None else (measure,)))
        rest = () if where is None else ("WHERE", where)
        words = ("SELECT", f"WEIGHTED_SUM({', '.join(arguments)})", "FROM", table, *rest)
        sql, private = " ".join(words), {"weights": weights}
        answer = self.sql(
            sql, private=private, without=without, purpose=purpose, deadline_s=deadline_s
        )
        total = Decimal(answer.to_arrow().column(0)[0].as_py())
        return int(total) if total.as_tuple().exponent == 0 else total

    def tables(self) -> "pd.DataFrame":
        """Return every column of the contract with what this member may do with it."""
        import pandas as pd

        terms = self.contract.terms
        rows = [
            {
                "table": name,
                "column": column,
                "type": column_terms.type,
                "nullable": column_terms.nullable,
                "held_by": ", ".join(terms.owners(name)),
                "rights": "; ".join(_rights(column_terms, self._client.name)),
            }
            for name, table in terms.tables.items()
            for column, column_terms in table.named_columns.items()
        ]
        return pd.DataFrame(rows)

    def status(self) -> dict[str, bool]:
        """Return for each member whether its process attends the room."""
        online = self._client.online()
        return {name: name in online for name in self.contract.terms.members}

    def mock(self, rows: int = 200, *, seed: int = 0) -> "LocalRoom":
        """Return a room on this machine with made-up rows of the same contract, for this member.

        The same script runs on both: tables, bounds, values, NULLs and persons are as the contract
        says, plans and rulings are the contract's, results have the same columns. What the numbers
        say means nothing, and what members decide beyond the contract isn't known here. Use it in
        a `with` block; no member of the real room is asked, and nothing is spent there.

        Args:
            rows: of each member's part of a table, or as many as it may have.
            seed: the same one gives the same rows; from 0.

        Raises:
            ValueError: if rows or seed are no such numbers.
        """
        from cleanroom.local.mock import mock_models, mock_rows
        from cleanroom.local.room import LocalRoom

        terms = self.contract.terms
        data, models = mock_rows(terms, rows, seed), mock_models(terms)
        return LocalRoom(terms, data, recipient=self._client.name, models=models)

    def close(self) -> None:
        """End whatever runs and release the thread."""
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(config: Path | str) -> Room:
    """Return the room that a client's TOML file names; no connection is made yet.

    Raises:
        ConfigInvalid, IdentityInvalid, ContractInvalid, NotAuthorised: naming what doesn't hold.
    """
    return Room(Client.of(config))


def _rights(column: ColumnTerms, recipient: str) -> Iterator[str]:
    """Yield what a recipient may do with a column, for each purpose if they differ."""
    for to, purpose, rights in column.granted():
        if to == recipient:
            yield f"{purpose}: {', '.join(rights)}" if purpose else ", ".join(rights)
