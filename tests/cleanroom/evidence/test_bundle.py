"""A bundle verifies as it was written, and not with any byte of any file changed."""

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanroom.audit.bundle import export
from cleanroom.audit.log import Log
from cleanroom.audit.record import Kind, Record
from cleanroom.cli import app
from cleanroom.contract.document import Contract
from cleanroom.errors import ConfigInvalid, EvidenceInvalid, NotAuthorised
from cleanroom.evidence import manifest
from cleanroom.evidence.bundle import write
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.verify import verify
from cleanroom.identity.identity import Identity
from cleanroom.session.member import Membership
from cleanroom.session.receipt import Receipt
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FILES = {
    "room.contract", "versions.json", "cards.txt", "dpia.md", "dpia.html", "ropa.md", "ropa.html",
    "receipts/00001.json", "tests.xml", "log.jsonl", "manifest.json", "manifest.sig",
}  # fmt: skip


@pytest.fixture
def bundle(
    tmp_path: Path,
    contract: Contract,
    identities: dict[str, Identity],
    receipt: Receipt,
    log: bytes,
) -> Path:
    folder, more = tmp_path / "evidence", {"tests.xml": b"<testsuites/>", "log.jsonl": log}
    write(folder, Facts(contract, NOW, "alpha", ()), identities["alpha"], [receipt], more)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_it_holds_all_and_verifies(bundle: Path, contract: Contract) -> None:
    assert set(names(bundle)) == FILES
    found = verify(bundle, contract)
    assert (found.member, found.contract_hash, found.receipts) == ("alpha", contract.hash, 1)
    assert found.records == 2
    assert found.fingerprint == contract.identities["alpha"].fingerprint
    versions = json.loads((bundle / "versions.json").read_text())
    assert {"numpy", "cryptography", "tenseal"} <= versions["dependencies"].keys()


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_byte_changed_anywhere_is_found(bundle: Path, name: str) -> None:
    path = bundle / name
    content = path.read_bytes()
    for at in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
        for bit in (1, 0x20, 0x80):
            changed = bytearray(content)
            changed[at] ^= bit
            path.write_bytes(changed)
            with pytest.raises(EvidenceInvalid):
                verify(bundle)
    for other in (content[:-1], content + b"\n", b""):
        path.write_bytes(other)
        with pytest.raises(EvidenceInvalid):
            verify(bundle)
    path.unlink()
    with pytest.raises(EvidenceInvalid):
        verify(bundle)


def test_a_file_more_or_one_elsewhere_is_found(bundle: Path) -> None:
    (bundle / "more.txt").write_text("")
    with pytest.raises(EvidenceInvalid, match=r"more\.txt: not in the manifest"):
        verify(bundle)
    (bundle / "more.txt").unlink()
    (bundle / "dpia.md").rename(bundle / "receipts" / "dpia.md")
    with pytest.raises(EvidenceInvalid):
        verify(bundle)
    (bundle / "dpia.md").symlink_to("receipts/dpia.md")
    with pytest.raises(EvidenceInvalid, match="neither file nor folder"):
        verify(bundle)


def test_what_cannot_be_read_or_written_is_said(
    bundle: Path, contract: Contract, identities: dict[str, Identity]
) -> None:
    with pytest.raises(EvidenceInvalid, match="cannot write"):
        write(bundle / "none" / "x", Facts(contract, NOW, "alpha"), identities["alpha"])
    with pytest.raises(EvidenceInvalid, match="exists already"):
        write(bundle / "..", Facts(contract, NOW, "alpha"), identities["alpha"])
    with pytest.raises(EvidenceInvalid, match="cannot read"):
        verify(bundle / "none")


def test_nobody_else_seals_it_anew(
    bundle: Path, contract: Contract, identities: dict[str, Identity]
) -> None:
    (bundle / "dpia.md").write_text("# No risks")
    stated, _ = manifest.read(bundle)
    forged = stated.model_copy(update={"files": manifest.hashes(bundle)})
    manifest.seal(bundle, forged, identities["beta"])
    with pytest.raises(EvidenceInvalid, match="signature"):
        verify(bundle)
    stranger = forged.model_copy(update={"member": "mallory"})
    manifest.seal(bundle, stranger, identities["beta"])
    with pytest.raises(EvidenceInvalid, match="not a member"):
        verify(bundle)
    own: dict[str, object] = {"member": "beta"}
    manifest.seal(bundle, forged.model_copy(update=own), identities["beta"])
    with pytest.raises(EvidenceInvalid, match="not all of beta's log"):
        verify(bundle)
    (bundle / "log.jsonl").unlink()
    own["files"] = manifest.hashes(bundle)
    manifest.seal(bundle, forged.model_copy(update=own), identities["beta"])
    assert verify(bundle, contract).member == "beta"  # who answers for it then


def test_a_contract_of_one_s_own_making_is_told_from_the_known_one(
    bundle: Path, contract: Contract
) -> None:
    room = contract.terms.room.model_copy(update={"version": 2})
    terms = contract.terms.model_copy(update={"room": room})
    with pytest.raises(EvidenceInvalid, match="another contract"):
        verify(bundle, Contract(terms, contract.identities, {}))


def test_what_does_not_hold_is_not_signed(
    tmp_path: Path, contract: Contract, identities: dict[str, Identity], receipt: Receipt
) -> None:
    facts = Facts(contract, NOW, "alpha")
    with pytest.raises(NotAuthorised):
        write(tmp_path / "x", facts, identities["alpha"], [Receipt(receipt.statements[:-1])])
    assert not list(tmp_path.iterdir())
    write(tmp_path / "x", facts, identities["alpha"])
    with pytest.raises(EvidenceInvalid, match=r"exists already.*Name another folder"):
        write(tmp_path / "x", facts, identities["alpha"])


def test_a_log_that_lacks_what_a_receipt_proves_is_found(
    bundle: Path, config: Path, identities: dict[str, Identity]
) -> None:
    """The receipt is of a session in which alpha did its part: another log can't stand for its."""
    folder = config.parent
    with State.open(folder / "other.db", Keys(folder / "other.key"), "golden") as state:
        Log(state).add(Record.now(Kind.STARTED))
        member = Membership.load(folder / "identity", folder / "room.contract")
        export(bundle / "log.jsonl", member, state)
    stated, _ = manifest.read(bundle)
    sealed = stated.model_copy(update={"files": manifest.hashes(bundle)})
    manifest.seal(bundle, sealed, identities["alpha"])
    with pytest.raises(EvidenceInvalid, match="the log lacks its part as computing"):
        verify(bundle)


def test_the_commands(config: Path, tmp_path: Path, receipt: Receipt, contract: Contract) -> None:
    def run(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["report", *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    (tmp_path / "receipt.json").write_text(receipt.to_json())
    bundle = tmp_path / "evidence"
    words = ("--config", config, "--output", bundle, "--receipt", tmp_path / "receipt.json")
    assert run("evidence", *words)[0] == 0
    code, said = run("verify", bundle)
    assert code == 0
    assert contract.hash in said
    (bundle / "cards.txt").write_text("nothing leaks")
    assert run("verify", bundle, "--contract", config.parent / "room.contract")[0] == 1
    assessed = run("dpia", "--config", config)[1]
    assert "epsilon granted" in assessed
    assert "`alpha` is stricter than the contract: min\\_group = 20" in assessed
    assert "| he | `analyst` | the room's | 1 | group-too-small: 1 |" in assessed
    assert "No log was read" in run("dpia", "--contract", config.parent / "room.contract")[1]
    assert run("ropa", "--config", config, "--output", tmp_path / "ropa.html")[0] == 0
    assert (tmp_path / "ropa.html").read_text().startswith("<!DOCTYPE html>")
    failed = CliRunner().invoke(app, ["report", "ropa", "--config", str(tmp_path / "none.toml")])
    assert isinstance(failed.exception, ConfigInvalid)
