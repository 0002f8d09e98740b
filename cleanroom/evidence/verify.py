"""Whether a bundle is what its member signed: every byte of it, offline."""

from dataclasses import dataclass
from pathlib import Path

from cleanroom.audit.bundle import Bundle
from cleanroom.audit.judging import Case
from cleanroom.contract.document import Contract
from cleanroom.errors import CleanroomError, EvidenceInvalid
from cleanroom.evidence import manifest
from cleanroom.evidence.bundle import CONTRACT, LOG, RECEIPTS
from cleanroom.identity.files import read_bounded
from cleanroom.session import receipt as receipts
from cleanroom.session.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proves.

    Attributes:
        fingerprint: the six words of the signer's identity, to compare over another channel.
        receipts: how many it holds, each complete and signed by all members of its session.
        records: of the member's log; 0 if there is none in it.
    """

    member: str
    fingerprint: str
    room: str
    contract_hash: str
    made_at: str
    files: int
    receipts: int
    records: int


def verify(folder: Path, known: Contract | None = None) -> Verified:
    """Check a whole bundle.

    Args:
        known: the verifier's own copy of the contract; without it, the bundle's own is taken,
            whose hash and fingerprints have to be compared by other means.

    Raises:
        EvidenceInvalid: naming the first file that doesn't hold, and why.
    """
    stated, signature = manifest.read(folder)
    found = manifest.hashes(folder)
    for name in sorted(found.keys() ^ stated.files.keys()):
        why = "not in the manifest" if name in found else "missing"
        raise EvidenceInvalid(f"{name}: {why}")
    for name, digest in found.items():
        if digest != stated.files[name]:
            raise EvidenceInvalid(f"{name}: changed since it was signed")
    try:
        return _verified(folder, stated, signature, known)
    except EvidenceInvalid:
        raise
    except CleanroomError as error:
        raise EvidenceInvalid(error.message, party=error.party) from None


def _verified(
    folder: Path, stated: manifest.Manifest, signature: bytes, known: Contract | None
) -> Verified:
    contract = Contract.load(folder / CONTRACT)
    if contract.hash != stated.contract_hash or (known and contract.hash != known.hash):
        raise EvidenceInvalid(f"{CONTRACT}: another contract than that of the manifest or yours")
    contract.check(stated.day)
    if stated.member not in contract.terms.members:
        raise EvidenceInvalid(f"{manifest.FILE}: {stated.member} is not a member")
    signer = contract.identities[stated.member]
    manifest.check_signature(stated, signature, signer)
    held = [name for name in stated.files if name.startswith(f"{RECEIPTS}/")]
    for name in held:
        _check_receipt(folder / name, contract)
    records = _check_log(folder, stated, contract, held) if LOG in stated.files else 0
    return Verified(
        stated.member,
        signer.fingerprint,
        stated.room,
        contract.hash,
        stated.made_at,
        len(stated.files),
        len(held),
        records,
    )


def _check_log(folder: Path, stated: manifest.Manifest, contract: Contract, held: list[str]) -> int:
    """Demand that the log is whole, of whoever signed, and knows of every receipt; count it."""
    log = Bundle.open(folder / LOG)
    if log.checkpoint.party != stated.member or log.contract.hash != contract.hash or not log.whole:
        raise EvidenceInvalid(f"{LOG}: not all of {stated.member}'s log", party=stated.member)
    case = Case.of_file(folder / LOG)
    for name in held:
        case.hold_to_receipt(folder / name)
    judged = case.judged()
    for what in judged.found:
        raise EvidenceInvalid(f"{LOG}: {what}", party=stated.member)
    return judged.records


def _check_receipt(path: Path, contract: Contract) -> None:
    text = read_bounded(path, receipts.MAX_BYTES, EvidenceInvalid).decode(errors="replace")
    try:
        Receipt.from_json(text).verify(contract)
    except CleanroomError as error:
        raise EvidenceInvalid(f"{path.name}: {error.message}", party=error.party) from None
