"""One folder for whoever audits a room: contract, versions, cards, reports, receipts, and a seal.

Rule: written whole or not at all; what is in it was checked before it is signed.
"""

import importlib.metadata
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from cleanroom.cards import shelf
from cleanroom.contract import canonical
from cleanroom.errors import EvidenceInvalid
from cleanroom.evidence import manifest
from cleanroom.evidence.dpia import dpia
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.ropa import ropa
from cleanroom.identity.identity import Identity
from cleanroom.page import page
from cleanroom.session.receipt import Receipt

DISTRIBUTION = "pets-cleanroom"
CONTRACT = "room.contract"
RECEIPTS = "receipts"
LOG = "log.jsonl"


def write(
    folder: Path,
    facts: Facts,
    identity: Identity,
    receipts: Sequence[Receipt] = (),
    more: Mapping[str, bytes] | None = None,
) -> None:
    """Write a new folder with all of a member's evidence, and sign its manifest.

    Args:
        more: further files by name: results of tests, an export of the log.

    Raises:
        EvidenceInvalid: if the folder is there already or can't be written.
        ContractInvalid, NotAuthorised, MessageInvalid: if contract or receipts don't hold.
    """
    folder = folder.resolve()
    if folder.exists():
        raise _taken(folder)
    facts.contract.check(facts.made_at.date())
    for receipt in receipts:
        receipt.verify(facts.contract)
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        draft.mkdir()
        try:
            for name, content in _files(facts, receipts, more or {}).items():
                (draft / name).parent.mkdir(exist_ok=True)
                (draft / name).write_bytes(content)
            manifest.seal(draft, _manifest(draft, facts), identity)
            if folder.exists():
                raise _taken(folder)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        remedy = "Name a new folder, where it can be written."
        raise EvidenceInvalid(f"cannot write {folder}: {why}", remedy=remedy) from None


def _taken(folder: Path) -> EvidenceInvalid:
    what = f"{folder} exists already and is not overwritten"
    return EvidenceInvalid(what, remedy="Name another folder.")


def _manifest(folder: Path, facts: Facts) -> manifest.Manifest:
    return manifest.Manifest(
        member=facts.member,
        room=facts.terms.room.name,
        contract_hash=facts.contract.hash,
        made_at=f"{facts.made_at:%Y-%m-%dT%H:%M:%SZ}",
        files=manifest.hashes(folder),
    )


def _files(
    facts: Facts, receipts: Sequence[Receipt], more: Mapping[str, bytes]
) -> dict[str, bytes]:
    assessment, record = dpia(facts), ropa(facts)
    title = f"room {facts.terms.room.name}"
    cards = "\n\n\n".join(shelf.text(card) for card in shelf.CARDS.values())
    files = {
        CONTRACT: facts.contract.to_bytes(),
        "versions.json": canonical.readable(versions()),
        "cards.txt": f"{cards}\n".encode(),
        "dpia.md": assessment.encode(),
        "dpia.html": page(assessment, f"DPIA, {title}").encode(),
        "ropa.md": record.encode(),
        "ropa.html": page(record, f"Record of processing, {title}").encode(),
        **more,
    }
    for number, receipt in enumerate(receipts, start=1):
        files[f"{RECEIPTS}/{number:05}.json"] = receipt.to_json().encode()
    return files


def versions() -> dict[str, canonical.Json]:
    """Return what ran: this package, Python, the system, and every installed dependency."""
    installed = {
        str(one.metadata["Name"]).lower(): one.version
        for one in importlib.metadata.distributions()
        if one.metadata["Name"]
    }
    packages: canonical.Json = {name: installed[name] for name in sorted(installed)}
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "package": installed.get(DISTRIBUTION, "not installed: run from a source tree"),
        "dependencies": packages,
    }
