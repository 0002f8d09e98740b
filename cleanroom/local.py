"""`LocalRoom`: a whole room on this machine, for a first try, for tests and for mock data.

Rule: it starts the same processes as a real room, with real identities, a really signed
contract and mutual TLS on loopback; nothing here takes a short cut.
"""

import contextlib
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cleanroom.client import Result, Room, connect
from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.contract.terms import Role, Terms
from cleanroom.errors import DataMismatch, PeerUnavailable, UnknownName
from cleanroom.given import Data, Models, as_file, as_json, by_member, models_by_member
from cleanroom.identity.identity import Identity
from cleanroom.plan.plan import Protocol
from cleanroom.plan.sheet import Sheet
from cleanroom.regression import Regression
from cleanroom.scratch import scratch_folder
from cleanroom.worker import Worker

if TYPE_CHECKING:
    import pandas as pd

START_S = 60.0


class LocalRoom:
    """Starts a coordinator and one process for each member; use it in a `with` block.

    Args:
        contract: path of a TOML file, or a dict of the same shape. Its addresses are replaced
            by free ports of this machine.
        data: the rows of each table: a DataFrame, a pyarrow.Table or the path of a CSV or Parquet
            file; for a federated table a dict from member to one of these. Columns that the
            contract doesn't name are left where they are.
        recipient: the member that asks; by default the first with the role 'result'.
        models: for each model of the contract its weights, {"weights": {feature: number, ...},
            "intercept": number}, or the path of a JSON file of that shape.

    Raises (on entering):
        ContractInvalid: naming the field of the contract that doesn't hold.
        DataMismatch: naming the table and column that differ from the contract.
        ModelMismatch: naming the model and feature that differ from the contract.
    """

    def __init__(
        self,
        contract: Mapping[str, Any] | Path | str,
        data: Data,
        *,
        recipient: str | None = None,
        models: Models | None = None,
    ) -> None:
        self._terms = Terms.of(contract)
        self._data = by_member(self._terms, data)
        self._models = models_by_member(self._terms, models or {})
        self._recipient = recipient or _first_recipient(self._terms)
        if self._recipient not in self._terms.members:
            raise UnknownName(f"no member {self._recipient!r} in the contract")
        self._closing = contextlib.ExitStack()
        self._room: Room | None = None
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes and remove all files."""
        self._closing.close()
        self._room = None

    # --- what one does in a room -------------------------------------------------------

    @property
    def room(self) -> Room:
        """The recipient's connection."""
        if self._room is None:
            raise PeerUnavailable("the room is not open", remedy="Use it in a 'with' block.")
        return self._room

    @property
    def contract(self) -> Contract:
        """The contract that all members signed when the room opened."""
        return self.room.contract

    def explain(
        self, sql: str, *, protocol: Protocol | None = None, without: Collection[str] = ()
    ) -> Sheet:
        """Return who would learn what from a query; nothing runs."""
        return self.room.explain(sql, protocol=protocol, without=without)

    def sql(
        self,
        sql: str,
        *,
        private: Mapping[str, Any] | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        deadline_s: int = 600,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Run a query and return its released result."""
        return self.room.sql(
            sql,
            private=private,
            protocol=protocol,
            without=without,
            deadline_s=deadline_s,
            on_progress=on_progress,
        )

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
        deadline_s: int = 600,
    ) -> int | Decimal:
        """Return the exact sum over a table's rows of secret weights of a column's values."""
        return self.room.weighted_sum(
            table,
            column,
            weights=weights,
            largest=largest,
            measure=measure,
            where=where,
            without=without,
            deadline_s=deadline_s,
        )

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
        """Fit `target` as a linear function of `features` over all owners' rows of a table."""
        return self.room.linear_regression(
            table, target, features, where=where, protocol=protocol, without=without
        )

    def explain_score(self, *, model: str, table: str) -> Sheet:
        """Return who would learn what from a scoring; nothing runs."""
        return self.room.explain_score(model=model, table=table)

    def score(
        self,
        *,
        model: str,
        table: str,
        deadline_s: int = 600,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Score the recipient's own rows under another member's model; see `Room.score`."""
        return self.room.score(
            model=model, table=table, deadline_s=deadline_s, on_progress=on_progress
        )

    def tables(self) -> "pd.DataFrame":
        """Return every column of the contract with what the recipient may do with it."""
        return self.room.tables()

    def status(self) -> dict[str, bool]:
        """Return for each member whether its process attends."""
        return self.room.status()

    # --- opening -----------------------------------------------------------------------

    def _open(self) -> None:
        folder = self._closing.enter_context(scratch_folder())
        terms = self._closing.enter_context(_on_free_ports(self._terms))
        contract = _sign(terms, folder)
        configs = {
            name: self._write_config(folder / name, contract, name)
            for name in (COORDINATOR, *terms.members)
        }
        for name, config in configs.items():
            if name == COORDINATOR or terms.members[name].attends:
                kind = "coordinator" if name == COORDINATOR else "party"
                self.workers[name] = self._closing.enter_context(Worker(name, kind, config))
        for worker in self.workers.values():
            worker.wait_ready(START_S)
        self._room = self._closing.enter_context(connect(configs[self._recipient]))

    def _write_config(self, folder: Path, contract: Path, member: str) -> Path:
        lines = [f"identity = {_quoted(folder)}", f"contract = {_quoted(contract)}", "[tables]"]
        for table, rows in self._data.get(member, {}).items():
            columns = tuple(self._terms.tables[table].columns)
            path = as_file(rows, folder / f"{table}.parquet", table, columns)
            lines.append(f"{_quoted(table)} = {_quoted(path)}")
        lines.append("[models]")
        for name, model in self._models.get(member, {}).items():
            path = as_json(model, folder / f"{name}.json")
            lines.append(f"{_quoted(name)} = {_quoted(path)}")
        if member == COORDINATOR:
            del lines[2:]
        config = folder / "config.toml"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return config


def _first_recipient(terms: Terms) -> str:
    for name, member in terms.members.items():
        if Role.RESULT in member.roles:
            return name
    raise UnknownName("no member of the contract has the role 'result'")


def _quoted(text: object) -> str:
    """Return a TOML literal string; paths with a quote in them are refused."""
    if "'" in str(text) or "\n" in str(text):
        raise DataMismatch("a path holds a quote or a line break")
    return f"'{text}'"


@contextlib.contextmanager
def _on_free_ports(terms: Terms) -> Iterator[Terms]:
    """Give every listening role a free loopback port, held while the room is open.

    The ports stay bound here, without listening, so that no other program takes them.
    """
    with contextlib.ExitStack() as held:

        def address() -> str:
            free = held.enter_context(socket.socket())
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{free.getsockname()[1]}"

        members = {
            name: member.model_copy(update={"address": address()}) if member.address else member
            for name, member in terms.members.items()
        }
        coordinator = terms.coordinator.model_copy(update={"address": address()})
        yield terms.model_copy(update={"members": members, "coordinator": coordinator})


def _sign(terms: Terms, folder: Path) -> Path:
    """Make all identities, have all members sign, and return the contract's path."""
    identities = {name: Identity.create(name) for name in (COORDINATOR, *terms.members)}
    contract = Contract.draft(terms, {name: i.public for name, i in identities.items()})
    for name, identity in identities.items():
        identity.save(folder / name)
        if name != COORDINATOR:
            contract = contract.signed_by(identity)
    path = folder / "room.contract"
    contract.save(path)
    return path
