"""The recipient's side: a room on the network as a Python object, and the results it gives.

Rule: what a caller may hold. The calls behind it are in `asking`, on a loop of their own thread.
"""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, wait
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import structlog

from cleanroom.asking import Answer, Asker, Progress, Stats
from cleanroom.config import MemberConfig
from cleanroom.contract.document import Contract
from cleanroom.engine import Engine, Numbers, standard
from cleanroom.errors import (
    CleanroomError,
    ConfigInvalid,
    InternalError,
    OverflowPossible,
    PeerUnavailable,
    SessionCancelled,
    UnsupportedQuery,
)
from cleanroom.logs import where
from cleanroom.member import Membership
from cleanroom.own_rows import OwnRows
from cleanroom.plan.contributors import can_leave_out
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.scoring import ScorePlan
from cleanroom.query.frame import as_pandas
from cleanroom.query.scoring import compile_scoring
from cleanroom.query.sought import weights_of
from cleanroom.query.ways import Ways
from cleanroom.receipt import Receipt
from cleanroom.regression import Model, Regression

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from cleanroom.plan.sheet import Sheet

T = TypeVar("T")
DEADLINE_S = 600
MAX_DEADLINE_S = 86_400  # as long as a signed request may say
logger = structlog.get_logger()
POLL_S = 0.2  # a signal that another thread of the process got is seen after this time


class Result:
    """What a query opened, to its recipient alone.

    Attributes:
        suppressed: groups withheld because too few persons stand behind them.
        receipt: what every member signed about this session.
        stats: seconds, rounds, bytes_sent, rows.
        without: members whose rows were left out, as the query asked.
    """

    def __init__(self, answer: Answer) -> None:
        self._table = answer.table
        self.suppressed: int = answer.suppressed
        self.receipt: Receipt = answer.receipt
        self.stats: Stats = answer.stats
        self.without: tuple[str, ...] = answer.without

    def to_arrow(self) -> "pa.Table":
        """Return the rows in their exact types: DECIMAL, and whole numbers of any size.

        For sums of money, which float64 may round, and for Parquet or Polars.
        """
        return self._table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as DuckDB's `df()` does: DECIMAL as float64, NULL as NaN or None.

        Whole numbers beyond 2^53 next to NULLs come as Int64: float64 would round them.
        """
        return as_pandas(self._table)

    def __repr__(self) -> str:
        return f"Result(rows={self._table.num_rows}, suppressed={self.suppressed})"


class Room:
    """A room, as one of its members sees it. Thread-safe; close it after use."""

    def __init__(
        self,
        member: Membership,
        engine: Engine | None = None,
        tables: Mapping[str, Path] | None = None,
    ) -> None:
        """Stand in a room as a member.

        Args:
            tables: this member's own rows, which are read when their scores are first asked for.
        """
        self._member = member
        self._own_rows = OwnRows(member, tables or {})
        self._engine = engine or standard()
        self._asker = Asker(member, self._engine)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def contract(self) -> Contract:
        """The contract that all members signed."""
        return self._member.contract

    def explain(
        self, sql: str, *, protocol: Protocol | None = None, without: Collection[str] = ()
    ) -> "Sheet":
        """Return who would learn what and at which cost; nothing is sent.

        Args:
            protocol: as in `sql`; the sheet says what the other one would cost.
            without: as in `sql`.

        Raises:
            UnsupportedQuery, UnknownName, OverflowPossible: as the message says.
        """
        from cleanroom.plan.sheet import Sheet

        ways = self._ways(sql, without)
        plan = ways.plan(_chosen(protocol, without))
        return Sheet.of(plan, self._member.contract.terms, ways.other(plan))

    def sql(
        self,
        sql: str,
        *,
        private: Mapping[str, Any] | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
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
            deadline_s: whole seconds until the session is given up everywhere, at most a day.
            on_progress: called on another thread with (stage, member).

        Raises:
            CleanroomError: its class says what happened, its party who is responsible.
            KeyboardInterrupt: after the session was ended everywhere.
        """
        plan = self._ways(sql, without).plan(_chosen(protocol, without))
        _check_deadline(deadline_s)
        weights = _weights(plan, private)
        progress: Progress = on_progress or (lambda _stage, _member: None)
        try:
            return Result(self._run(self._asker.ask(plan, deadline_s, progress, weights)))
        except PeerUnavailable as error:
            if can_leave_out(plan, self._member.contract.terms, error.party):
                error.remedy += f" Or leave its rows out: without = {error.party!r}."
            raise

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
        deadline_s: int = DEADLINE_S,
    ) -> int | Decimal:
        """Return the exact sum over a table's rows of secret weights of a column's values.

        Args:
            weights: for each value its weight, 0 if it isn't named; nobody else learns them.
            largest: public bound of every weight's absolute value; its decimal places are those
                that weights may have.
            measure: a column, or expression, that the weights multiply; by default rows count.
            where: a public condition on the rows.
            without: as in `sql`.

        Raises:
            CleanroomError: as `sql`; the contract must give the right `private_weights`.
        """
        arguments = (column, ":weights", str(largest), *(() if measure is None else (measure,)))
        rest = () if where is None else ("WHERE", where)
        words = ("SELECT", f"WEIGHTED_SUM({', '.join(arguments)})", "FROM", table, *rest)
        sql, private = " ".join(words), {"weights": weights}
        answer = self.sql(sql, private=private, without=without, deadline_s=deadline_s)
        total = Decimal(answer.to_arrow().column(0)[0].as_py())
        return int(total) if total.as_tuple().exponent == 0 else total

    def linear_regression(
        self,
        table: str,
        target: str,
        features: Sequence[str],
        *,
        where: str | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
    ) -> Regression:
        """Fit `target` as a linear function of `features` over all owners' rows of a table.

        Rows with NULL in one of these columns are left out.

        Args:
            features: numbers, BOOLEAN, and TEXT with declared values, each of which but the first
                gets a coefficient of its own.
            where: an SQL condition on the table's rows.
            protocol, without: as in `sql`.

        Raises:
            CleanroomError: as `sql`; UnsupportedQuery also if features depend on each other.
        """
        model = Model.of(self._member.contract.terms, table, target, features)
        try:
            found = self.sql(model.sql(where), protocol=protocol, without=without)
        except OverflowPossible as error:
            raise model.overflow(error) from None
        return model.fitted(found)

    def explain_score(self, *, model: str, table: str) -> "Sheet":
        """Return who would learn what from a scoring and at which cost; nothing is sent.

        Raises:
            UnknownName, UnsupportedQuery: as the message says.
        """
        from cleanroom.plan.sheet_of_scoring import sheet_of_scoring

        return sheet_of_scoring(self._score_plan(model, table), self._member.contract.terms)

    def score(
        self,
        *,
        model: str,
        table: str,
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Score this member's own rows under another's model, which neither shows the other.

        The rows travel encrypted; the scores come to this member alone. A model's weights follow
        from the scores of one row more than it has features, so its owner limits how many rows
        it scores, and the contract says for whom.

        Args:
            model: of the contract, 'member.model'; table: one whose rows this member holds.

        Returns:
            A row for each of the table's, in the file's order: the person column, and `score`.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            CleanroomError: as `sql`.
        """
        plan = self._score_plan(model, table)
        _check_deadline(deadline_s)
        rows = self._own_rows.read(plan)
        progress: Progress = on_progress or (lambda _stage, _member: None)
        return Result(self._run(self._asker.score(plan, rows, deadline_s, progress)))

    def tables(self) -> "pd.DataFrame":
        """Return every column of the contract with what this member may do with it."""
        import pandas as pd

        terms = self._member.contract.terms
        rows = [
            {
                "table": name,
                "column": column,
                "type": column_terms.type,
                "nullable": column_terms.nullable,
                "held_by": ", ".join(terms.owners(name)),
                "rights": ", ".join(column_terms.rights.get(self._member.name, ())),
            }
            for name, table in terms.tables.items()
            for column, column_terms in table.columns.items()
        ]
        return pd.DataFrame(rows)

    def status(self) -> dict[str, bool]:
        """Return for each member whether its process attends the room."""
        online = self._run(self._asker.online())
        return {name: name in online for name in self._member.contract.terms.members}

    def close(self) -> None:
        """End whatever runs and release the thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _score_plan(self, model: str, table: str) -> ScorePlan:
        contract, me = self._member.contract, self._member.name
        contract.check(dt.datetime.now(dt.UTC).date())
        return compile_scoring(model, table, contract.terms, contract.hash, me)

    def _ways(self, sql: str, without: Collection[str]) -> Ways:
        if not isinstance(sql, str):
            what = f"a query is a text, not a {type(sql).__name__}"
            raise UnsupportedQuery(what, remedy="Pass one SELECT statement as a str.")
        if isinstance(without, str):
            without = (without,)
        left_out = tuple(sorted(set(without)))
        contract, me = self._member.contract, self._member.name
        contract.check(dt.datetime.now(dt.UTC).date())

        def compiled(protocol: Protocol) -> Plan:
            terms = contract.terms
            return self._engine.compile(sql, terms, contract.hash, me, protocol, left_out)

        return Ways(compiled, contract.terms)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the loop's thread; if this one is interrupted, end the work first."""
        ended = threading.Event()

        async def watched() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            while not wait((future,), timeout=POLL_S).done:
                pass
            return future.result()
        except CancelledError:
            raise SessionCancelled("the room was closed") from None
        except CleanroomError:
            raise
        except Exception as error:
            logger.exception("query failed", where=where(error), exc_info=False)
            raise InternalError("a fault in this client", party=self._member.name) from None
        except BaseException:
            if not future.done():
                future.cancel()
                ended.wait(timeout=5)
            raise


def connect(config: Path | str) -> Room:
    """Return the room that a client's TOML file names; no connection is made yet.

    Raises:
        ConfigInvalid, IdentityInvalid, ContractInvalid, NotAuthorised: naming what doesn't hold.
    """
    loaded = MemberConfig.load(config)
    return Room(Membership.load(loaded.identity, loaded.contract), tables=loaded.tables)


def _chosen(protocol: Protocol | None, without: Collection[str]) -> Protocol | None:
    """Return the protocol that was asked for, if only by leaving somebody out."""
    return "he" if without and protocol is None else protocol


def _weights(plan: Plan, private: Mapping[str, Any] | None) -> Numbers | None:
    """Return what private parameters stand for, as weights of all values; None without any."""
    asked = None if plan.ciphertexts is None else plan.ciphertexts.private
    weights = weights_of(asked, private)
    return None if asked is None else weights


def _check_deadline(deadline_s: int) -> None:
    if type(deadline_s) is not int or not 1 <= deadline_s <= MAX_DEADLINE_S:
        what = f"deadline_s: whole seconds from 1 to {MAX_DEADLINE_S}"
        raise ConfigInvalid(what, remedy="Ask with such a deadline.")


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
