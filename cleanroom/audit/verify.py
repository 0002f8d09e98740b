"""Whether a log is whole: judged from its records, what its member signed, and what others saw.

Rule: reads and compares, offline. It stops at nothing: every fault is a finding that says where.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from cleanroom.audit.checkpoint import Checkpoint
from cleanroom.audit.record import Kind, Record
from cleanroom.errors import LogDamaged
from protocols.merkle import proofs
from protocols.merkle.tree import in_memory, leaf_hash, root


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as a file has it.

    Attributes:
        leaf: the hash that the file says it has.
        proof: that it stands at its place in the log, if not all records are there.
    """

    index: int
    content: bytes
    leaf: bytes
    proof: tuple[bytes, ...] = ()


class Seen(NamedTuple):
    """How long a log was, and its root, as somebody has it in writing.

    Attributes:
        at: when its member signed that, by its own clock in milliseconds; None if that isn't known.
    """

    by: str
    size: int
    root: bytes
    at: int | None = None

    @classmethod
    def of(cls, by: str, checkpoint: Checkpoint) -> Self:
        return cls(by, *checkpoint.head, checkpoint.at)


@dataclass
class Findings:
    """What isn't right, in the order of the log; nothing if it is sound.

    Attributes:
        records: how many were read.
    """

    found: list[str] = field(default_factory=list)
    records: int = 0

    def add(self, where: str, what: str) -> None:
        self.found.append(f"{where}: {what}")


def judge(
    entries: Iterable[Entry], seen: Sequence[Seen], exported: Checkpoint | None = None
) -> Findings:
    """Judge all records of a log.

    Args:
        seen: what its own member signed of it, and what others have.
        exported: what its member signed when it exported the log, if it is an export.
    """
    findings = Findings()
    leaves = list(_leaves(entries, findings))
    findings.records = len(leaves)
    node = in_memory(leaves)
    for one in sorted(set(seen), key=lambda one: (one.size, one.by, one.at or 0)):
        if one.size > len(leaves):
            what = (
                f"{one.by} has it with {one.size} records; {_why_short(one, len(leaves), exported)}"
            )
            findings.add(f"after record {len(leaves) - 1}", what)
        elif root(node, one.size) != one.root:
            what = f"another history than the one that {one.by} has"
            findings.add(f"before record {one.size}", what)
    return findings


def contradicted(party: str, records: Iterable[Record]) -> int | None:
    """Return where a process wrote last that others hold its log to another, if they still do.

    It is known anew after every start, once the process attends.
    """
    found = None
    for index, record in enumerate(records):
        if record.kind is Kind.STARTED or (record.kind is Kind.ACCEPTED and record.who == party):
            found = None
        elif record.kind is Kind.DIVERGED and record.who == party:
            found = index
    return found


def judge_some(entries: Iterable[Entry], signed: Checkpoint) -> Findings:
    """Judge single records of a log by their proofs."""
    findings = Findings()
    for entry in entries:
        findings.records += 1
        _check_content(entry, findings)
        place = entry.index, signed.size, entry.leaf, signed.head.root
        try:
            proofs.check_leaf(*place, entry.proof)
        except proofs.ProofInvalid:
            findings.add(f"record {entry.index}", "isn't proven to be of the signed log")
    return findings


def _why_short(one: Seen, records: int, exported: Checkpoint | None) -> str:
    """Say why a log may have fewer records than somebody saw of it."""
    whole = exported is not None and records >= exported.size
    if exported is None or not whole or (one.at is not None and one.at <= exported.at):
        return "the log was cut off or is an old copy"
    return "an honest export made before that ends here too: ask for a newer one"


def _leaves(entries: Iterable[Entry], findings: Findings) -> Iterator[bytes]:
    due = 0
    for entry in entries:
        if entry.index > due:
            missing = f"records {due} to {entry.index - 1} are" if entry.index > due + 1 else ""
            findings.add(f"record {entry.index}", f"{missing or f'record {due} is'} missing before")
        elif entry.index < due:
            findings.add(f"record {entry.index}", f"stands where record {due} is due")
        due = entry.index + 1
        _check_content(entry, findings)
        yield entry.leaf


def _check_content(entry: Entry, findings: Findings) -> None:
    if leaf_hash(entry.content) != entry.leaf:
        findings.add(f"record {entry.index}", "was edited: it hasn't the hash it had")
        return
    try:
        Record.of(entry.content)
    except LogDamaged as error:
        findings.add(f"record {entry.index}", error.message)
