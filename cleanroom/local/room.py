"""`LocalRoom`: a whole room on this machine, for a first try, for tests and for mock data.

Rule: it starts the same processes as a real room, with real identities, a really signed
contract and mutual TLS on loopback; nothing here takes a short cut.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.contract.terms import Role, Terms
from cleanroom.errors import DataMismatch, UnknownName
from cleanroom.identity.identity import Identity
from cleanroom.local.given import (
    Data,
    Models,
    OptOuts,
    as_approved,
    as_file,
    as_json,
    as_list,
    as_toml,
    by_member,
    models_by_member,
)
from cleanroom.local.worker import Worker
from cleanroom.recipient.client import Client
from cleanroom.recipient.room import Room
from cleanroom.scratch import scratch_folder

if TYPE_CHECKING:
    pass

START_S = 60.0


class LocalRoom(Room):
    """Starts a coordinator and one process for each member; use it in a `with` block.

    Args:
        contract: path of a TOML file, a dict of the same shape, or terms. Its addresses are
            replaced by free ports of this machine.
        data: the rows of each table: a DataFrame, a pyarrow.Table or the path of a CSV or Parquet
            file; for a federated table a dict from member to one of these. Columns that the
            contract doesn't name are left where they are.
        recipient: the member that asks; by default the first with the role 'result'.
        models: for each model of the contract its weights, {"weights": {feature: number, ...},
            "intercept": number}, or the path of a JSON file of that shape.
        apps: folders of Flower apps by name; all members approve their code as it is now.
        policies: member -> its own policy, as the `[policy]` table of its TOML file.
        opt_outs: member -> persons whose rows are in none of its tables, or a file, one a line.

    Attributes:
        module: that each process runs, with the words of the command `cleanroom`.

    Raises (on entering):
        ContractInvalid: naming the field of the contract that doesn't hold.
        DataMismatch: naming the table and column that differ from the contract.
        ModelMismatch: naming the model and feature that differ from the contract.
    """

    module: ClassVar[str] = "cleanroom"

    def __init__(
        self,
        contract: Mapping[str, Any] | Path | str | Terms,
        data: Data,
        *,
        recipient: str | None = None,
        models: Models | None = None,
        apps: Mapping[str, Path | str] | None = None,
        policies: Mapping[str, Mapping[str, Any]] | None = None,
        opt_outs: OptOuts | None = None,
    ) -> None:
        super().__init__(None)
        self._terms = Terms.of(contract)
        self._data = by_member(self._terms, data)
        self._models = models_by_member(self._terms, models or {})
        self._apps = as_approved(apps or {})
        self._policies = policies or {}
        self._opt_outs = opt_outs or {}
        self._recipient = recipient or _first_recipient(self._terms)
        for member in (self._recipient, *self._policies, *self._opt_outs):
            if member not in self._terms.members:
                raise UnknownName(f"no member {member!r} in the contract")
        self._closing = contextlib.ExitStack()
        self._configs: dict[str, Path] = {}
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End all processes and remove all files."""
        self._closing.close()
        self._opened = None

    def as_member(self, name: str) -> Room:
        """Return the same room as another of its members holds it, for as long as this is open.

        Raises:
            UnknownName: if the contract has no such member.
            ValueError: if the room isn't open.
        """
        if self._opened is None:
            raise ValueError("a LocalRoom is used in a `with` block")
        if name not in self._configs:
            remedy = f"It has {', '.join(self._configs)}."
            raise UnknownName(f"no member {name!r} in the contract", remedy=remedy)
        return Room(self._client_of(name))

    # --- opening -----------------------------------------------------------------------

    def _open(self) -> None:
        folder = self._closing.enter_context(scratch_folder())
        terms = self._closing.enter_context(_on_free_ports(self._terms))
        contract = _sign(terms, folder)
        self._configs = {name: self._config(folder, contract, name) for name in terms.members}
        host = self._config(folder, contract, COORDINATOR)
        for name, config in {COORDINATOR: host, **self._configs}.items():
            if name == COORDINATOR or terms.members[name].attends:
                kind = "coordinator" if name == COORDINATOR else "party"
                worker = Worker(name, kind, config, self.module)
                self.workers[name] = self._closing.enter_context(worker)
        for worker in self.workers.values():
            worker.wait_ready(START_S)
        self._opened = self._client_of(self._recipient)

    def _client_of(self, member: str) -> Client:
        client = Client.of(self._configs[member])
        return self._closing.enter_context(contextlib.closing(client))

    def _config(self, rooms: Path, contract: Path, member: str) -> Path:
        """Write a member's TOML file."""
        folder = rooms / member
        lines = [f"identity = {_quoted(folder)}", f"contract = {_quoted(contract)}"]
        if (persons := self._opt_outs.get(member)) is not None:
            listed = as_list(persons, folder / "opt-outs.txt")
            lines.append(f"opt_outs = {_quoted(listed)}")
        lines += [f"policy = {as_toml(self._policies.get(member, {}))}", "[tables]"]
        for table, rows in self._data.get(member, {}).items():
            columns = tuple(self._terms.tables[table].columns)
            path = as_file(rows, folder / f"{table}.parquet", table, columns)
            lines.append(f"{_quoted(table)} = {_quoted(path)}")
        lines.append("[models]")
        for name, model in self._models.get(member, {}).items():
            path = as_json(model, folder / f"{name}.json")
            lines.append(f"{_quoted(name)} = {_quoted(path)}")
        for name, app in self._apps.items():
            lines += [f"[apps.{_quoted(name)}]", f"folder = {_quoted(app.folder)}"]
            lines.append(f"sha256 = {_quoted(app.sha256)}")
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
