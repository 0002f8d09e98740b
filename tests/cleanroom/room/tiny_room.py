"""A small room for tests: real identities, contract, processes and protocol, a tiny query language.

'add 3 of a b' adds column x of members a and b, after 3 multiplications by one. 'slow 500 of a'
does 500 of them. 'total 3 of a b', on ciphertexts, gives the sum of all x three times over; 'seek 3
of a b' that of the x whose last digit is sought in private.
As a script it runs a party or the coordinator: tiny_room.py party.toml.
"""

import asyncio
import contextlib
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cleanroom.config import MemberConfig
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.engine import Engine
from cleanroom.errors import UnsupportedQuery
from cleanroom.execution.cells import add_up, read
from cleanroom.execution.contribute import contribute, receive
from cleanroom.execution.outcome import Opened, Outcome
from cleanroom.identity.identity import Identity
from cleanroom.plan.ciphertexts import CellKey, Ciphertexts
from cleanroom.plan.conditions import Term
from cleanroom.plan.leaf import Leaf, SumColumn
from cleanroom.plan.nodes import Aggregate, Derive, Derived, Union
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.private import Parameter, Private
from cleanroom.plan.question import Question
from cleanroom.plan.release import Release
from cleanroom.session.member import Membership
from cleanroom.storage.state import State
from protocols.rep3.multiply import multiply
from protocols.rep3.share import Arith, public_arith
from protocols.rounds import PeerMisbehaved, Round

OWNERS = ("bank_a", "bank_b", "bank_c")


class Rows:
    """An owner's rows: the same at all, so that every result is known."""

    def run(self, sql: str, text_key: bytes) -> dict[str, np.ndarray]:
        x = np.arange(100)
        return {"x": x, "digit_0": (x % 10).astype(np.uint64)}

    def rows(self, table: str) -> int:
        return 100

    def interrupt(self) -> None:
        pass


class Violation:
    code, party, message, remedy = "forbidden", "bank_b", "x may not be used", "Ask for less."
    rule = "privacy"


def compile_tiny(question: Question, terms: Terms, contract_hash: str) -> Plan:
    sql, recipient, protocol = question.sql, question.recipient, question.protocol
    words = sql.split()
    if (protocol == "he") != (words[0] in ("total", "seek")):
        raise UnsupportedQuery("'total' and 'seek' run on ciphertexts, all else on shares")
    if len(words) < 4:
        raise UnsupportedQuery("add N of MEMBERS")
    leaves = tuple(Leaf(member, sql, (), (SumColumn("x", 1000),), 1000, ()) for member in words[3:])
    if protocol == "he":
        plan = Plan(contract_hash, recipient, sql, (), None, (), "")
        return totals(leaves, int(words[1]), plan, private=words[0] == "seek")
    root = Release(Aggregate(Union(leaves), (), (), ("x",), ()), 1, None, ("x",))
    return Plan(contract_hash, recipient, sql, (), root, (), "")


def plan_of(sql: str, contract: Contract, protocol: Protocol = "mpc") -> Plan:
    return compile_tiny(Question(sql, "analyst", protocol), contract.terms, contract.hash)


def totals(leaves: tuple[Leaf, ...], n: int, plan: Plan, *, private: bool) -> Plan:
    names = tuple(f"x{i}" for i in range(n))
    sums = tuple(Derived(name, 10**6, (Term(1, ("x",)),)) for name in names)
    root = Release(Aggregate(Derive(Union(leaves), sums), (), (), names, ()), 1, None, names)
    cells = Ciphertexts("bfv-sum-1", (), names, None, 10**6)
    if private:
        key = CellKey("digit", 10, nullable=False)
        digit = Parameter("digit", "t", "digit", key, "INTEGER", 0, (), "values")
        seeking = Private((digit,), 1, 0, (10**6,) * n, 1 << 20)
        cells = replace(cells, parameters="bfv-filter-1", private=seeking)
    return replace(plan, root=root, ciphertexts=cells)


def compute(ctx, plan, contributions):
    verb, times, *_ = plan.sql.split()
    parts = [
        receive(ctx.me, leaf, contributions[i]).sums["x"] for i, leaf in enumerate(plan.leaves)
    ]
    n = max(part.own.size for part in parts)
    x = Arith(sum(p.own for p in parts), sum(p.next for p in parts))
    one = public_arith(ctx.me, np.ones(n, dtype=np.uint64))
    for i in range(int(times)):
        x = yield from multiply(ctx.at(f"step{i}"), x, one)
    if verb == "cheat" and ctx.me == 1:
        yield Round({(ctx.me.prev, ctx.at("last").gate): np.zeros(3, np.uint64)})
    elif verb == "cheat" and ctx.me == 0:
        slot = (ctx.me.next, ctx.at("last").gate)
        got = yield Round({}, frozenset({slot}))
        if got[slot].shape != (n,):
            raise PeerMisbehaved(frozenset({ctx.me.next}), slot[1], "shape")
    if verb == "crash" and ctx.me == 2:
        raise ValueError("secret value 4711")
    return Outcome(n, np.concatenate([x.own, x.next]))


def reconstruct(plan: Plan, outcomes: tuple[Outcome, Outcome, Outcome]) -> Opened:
    total = sum(o.words[: o.n] for o in outcomes)
    return Opened(outcomes[0].n, {"x": total.astype(np.int64)}, 0)


def tiny_engine() -> Engine:
    return Engine(
        compile=compile_tiny,
        check=lambda plan, *_: (Violation(),) if plan.sql.startswith("deny") else (),
        contribute=contribute,
        compute=compute,
        reconstruct=reconstruct,
        finish=lambda plan, columns: pa.table(columns),
        prepare=lambda: None,
        add_up=add_up,
        read=read,
    )


def free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def config_of(name: str) -> str:
    """Return a process's TOML file; all of them stand in one folder."""
    return f'identity = "{name}"\ncontract = "contract.json"\nstate = "{name}/state.db"\n'


def state_of(config: MemberConfig) -> State:
    return State.open(config.state, config.keys, "tiny")


def signed_room(source: dict[str, Any], home: Path) -> dict[str, Membership]:
    """Have everybody sign a contract, and write what its coordinator needs into a folder."""
    (port,) = free_ports(1)
    source["coordinator"]["address"] = f"127.0.0.1:{port}"
    agreed = Terms.of(source)
    identities = {name: Identity.create(name) for name in (*agreed.members, "coordinator")}
    contract = Contract.draft(agreed, {n: i.public for n, i in identities.items()})
    for name in agreed.members:
        contract = contract.signed_by(identities[name])
    contract.save(home / "contract.json")
    identities["coordinator"].save(home / "coordinator")
    (home / "coordinator.toml").write_text(config_of("coordinator"))
    return {name: Membership(identity, contract) for name, identity in identities.items()}


def make_room(folder: Path, more: tuple[str, ...] = ()) -> dict[str, Membership]:
    """Make identities and a contract signed by all; return everybody's membership.

    Args:
        more: further members that own rows.
    """
    ports = free_ports(4)
    owners = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{port}"}
        for name, port in zip(OWNERS, ports, strict=False)
    }
    x = {"type": "INTEGER", "bounds": [0, 1000], "rights": {"analyst": ["sum"]}}
    terms = Terms.of(
        {
            "room": {
                "name": "tiny",
                "version": 1,
                "purpose": "tests",
                "lawful_basis": "none needed",
                "retention_days": 1,
                "expires": "2100-01-01",
            },
            "coordinator": {"address": f"127.0.0.1:{ports[3]}"},
            "members": {
                **owners,
                **{name: {"roles": ["input"]} for name in ("hospital", *more)},
                "analyst": {"roles": ["result"]},
            },
            "privacy": {"release": "sdc", "min_group": 1},
            "tables": {
                "t": {
                    "members": list(OWNERS),
                    "person": "x",
                    "max_rows": 1000,
                    "columns": {"x": x},
                }
            },
        }
    )
    identities = {name: Identity.create(name) for name in (*terms.members, "coordinator")}
    contract = Contract.draft(terms, {n: i.public for n, i in identities.items()})
    for name in terms.members:
        contract = contract.signed_by(identities[name])
    contract.save(folder / "contract.json")
    for name, identity in identities.items():
        identity.save(folder / name)
        (folder / f"{name}.toml").write_text(config_of(name))
    return {name: Membership(identity, contract) for name, identity in identities.items()}


@contextlib.asynccontextmanager
async def running(room: dict[str, Membership], folder: Path, more: tuple[str, ...] = ()):
    """Run the coordinator and all parties in this process; yield the parties by name."""
    from cleanroom.coordinator.process import CoordinatorConfig, coordinate
    from cleanroom.party.party import PartyProcess

    config = CoordinatorConfig.load(folder / "coordinator.toml")
    states = {
        name: state_of(MemberConfig.load(folder / f"{name}.toml"))
        for name in (*OWNERS, "hospital", *more)
    }
    parties = {
        name: PartyProcess(room[name], tiny_engine(), Rows(), state)
        for name, state in states.items()
    }
    tasks = [asyncio.ensure_future(coordinate(config))]
    tasks += [asyncio.ensure_future(party.run()) for party in parties.values()]
    try:
        await asyncio.wait_for(asyncio.gather(*(p.ready.wait() for p in parties.values())), 20)
        yield parties
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for state in states.values():
            state.close()


def in_room(room: dict[str, Membership], folder: Path, work):
    """Run `work` on the parties of a running room; return its result once no session is left."""

    async def run():
        async with running(room, folder) as parties:
            result = await asyncio.wait_for(work(parties), 120)
            for party in parties.values():
                while len(party._sessions):
                    await asyncio.sleep(0.01)
            return result

    return asyncio.run(run())


async def ask(room: dict[str, Membership], sql: str, protocol: str = "he", weights=None):
    """Ask as the analyst; return the answer."""
    from cleanroom.recipient.asking import Asker

    contract, engine = room["analyst"].contract, tiny_engine()
    plan = plan_of(sql, contract, protocol)
    asker = Asker(room["analyst"], engine)
    return await asker.ask(plan, 60, lambda stage, member: None, weights)


def main(config: str) -> None:
    from cleanroom.coordinator.process import CoordinatorConfig, run_coordinator
    from cleanroom.party.party import PartyProcess
    from cleanroom.process import run_until_stopped

    if Path(config).stem == "coordinator":
        run_coordinator(CoordinatorConfig.load(config), parent_pipe=True)
        return
    loaded = MemberConfig.load(config)
    member = Membership.load(loaded.identity, loaded.contract)
    with state_of(loaded) as state:
        run_until_stopped(lambda: attend_tiny(member, state, PartyProcess), parent_pipe=True)


async def attend_tiny(member: Membership, state: State, process: type) -> None:
    await process(member, tiny_engine(), Rows(), state).run()


if __name__ == "__main__":
    main(sys.argv[1])
