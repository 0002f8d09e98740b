"""A signed room with a hostile purpose, its members' folders, and a receipt of all."""

import time
from pathlib import Path

import pytest
import rooms

from cleanroom.audit.bundle import export
from cleanroom.audit.log import Log
from cleanroom.audit.record import Kind, Record
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.identity.identity import Identity
from cleanroom.session.member import Membership
from cleanroom.session.receipt import Receipt
from cleanroom.session.statements import Finished, Request, Ruling, new_session, sign
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State

_HOSTILE = "<script>alert(1)</script> | [x](javascript:alert(1)) &lt;b&gt; `code` **bold**\n# head"


@pytest.fixture(scope="session")
def identities() -> dict[str, Identity]:
    return {name: Identity.create(name) for name in (*rooms.OWNERS, "analyst", "coordinator")}


@pytest.fixture(scope="session")
def contract(identities: dict[str, Identity]) -> Contract:
    source = rooms.room(min_group=10, epsilon=0.75)
    source["room"]["purpose"] = _HOSTILE
    source["members"]["alpha"]["acts_as"] = "controller"
    source["members"]["beta"]["acts_as"] = "processor"
    source["tables"]["gamma.members"]["columns"]["city"]["rights"] = {}
    source["tables"]["gamma.members"]["columns"]["rate"]["special_category"] = True
    drafted = Contract.draft(Terms.of(source), {n: i.public for n, i in identities.items()})
    for name in drafted.terms.members:
        drafted = drafted.signed_by(identities[name])
    return drafted


@pytest.fixture(scope="session")
def receipt(contract: Contract, identities: dict[str, Identity]) -> Receipt:
    about = {"session": new_session(), "contract_hash": contract.hash, "plan_hash": "0" * 64}
    asked = Request(
        recipient="analyst",
        sql="SELECT 1",
        members=rooms.OWNERS,
        issued_at=int(time.time()),
        deadline_s=60,
        **about,
    )
    statements = [sign(identities["analyst"], asked)]
    for name in rooms.OWNERS:
        ruling = Ruling(party=name, accepted=True, violations=(), **about)
        did = {"rows": 1, "rounds": 1, "bytes_sent": 1, "milliseconds": 1}
        report = Finished(party=name, role="computing", digest="0" * 64, **did, **about)
        statements += [sign(identities[name], each) for each in (ruling, report)]
    return Receipt(tuple(statements))


@pytest.fixture(scope="session")
def config(
    tmp_path_factory: pytest.TempPathFactory,
    contract: Contract,
    identities: dict[str, Identity],
    receipt: Receipt,
) -> Path:
    """Return the TOML file of the member alpha, which was asked twice and agreed once."""
    folder = tmp_path_factory.mktemp("alpha")
    identities["alpha"].save(folder / "identity")
    contract.save(folder / "room.contract")
    path = folder / "alpha.toml"
    path.write_text('identity = "identity"\ncontract = "room.contract"\n[policy]\nmin_group = 20\n')
    with State.open(folder / "state.db", Keys(folder / "state.key"), "golden") as state:
        about = {"who": "analyst", "protocol": "he"}
        refused = {"accepted": False, "codes": ("group-too-small",)}
        session = receipt.verify(contract)[0].session
        done = Record.now(Kind.FINISHED, session=session, digest="0" * 64, **about)
        Log(state).add(done, Record.now(Kind.RULED, session=new_session(), **about, **refused))
    return path


@pytest.fixture(scope="session")
def log(config: Path) -> bytes:
    """Return alpha's log as it is exported."""
    folder = config.parent
    member = Membership.load(folder / "identity", folder / "room.contract")
    with State.open(folder / "state.db", Keys(folder / "state.key"), "golden") as state:
        export(folder / "log.jsonl", member, state)
    return (folder / "log.jsonl").read_bytes()
