"""One log before the judge: where its records are, and everything that it is held to."""

from pathlib import Path
from typing import Self

from cleanroom.audit import remembered
from cleanroom.audit.bundle import Bundle, entries_of
from cleanroom.audit.held import stored
from cleanroom.audit.log import Log
from cleanroom.audit.receipts import missing, seen_in
from cleanroom.audit.record import Record
from cleanroom.audit.verify import Entry, Findings, Seen, contradicted, judge, judge_some
from cleanroom.config import MemberConfig
from cleanroom.contract.document import Contract
from cleanroom.errors import LogDamaged, MessageInvalid
from cleanroom.identity import files
from cleanroom.session import receipt as receipts
from cleanroom.session.member import Membership
from cleanroom.session.receipt import Receipt
from cleanroom.storage.state import State


class Case:
    """A log to be judged.

    Attributes:
        party: whose log it is.
    """

    def __init__(
        self, party: str, contract: Contract, entries: list[Entry], bundle: Bundle | None
    ) -> None:
        self.party = party
        self._contract, self._entries, self._bundle = contract, entries, bundle
        self._seen: list[Seen] = []
        self._receipts: list[Receipt] = []

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Judge an exported log.

        Raises:
            LogDamaged, ContractInvalid: if it can't be read as one.
        """
        bundle = Bundle.open(path)
        party = bundle.checkpoint.party
        case = cls(party, bundle.contract, list(bundle.entries()), bundle)
        case._seen.append(Seen.of(party, bundle.checkpoint))
        return case

    @classmethod
    def of_process(cls, config: Path) -> Self:
        """Judge a process's own log."""
        member, opened = _opened(config)
        with opened as state:
            log = Log(state)
            entries, head = list(entries_of(log)), log.head()
        case = cls(member.name, member.contract, entries, None)
        case._seen.append(Seen("its own tree", *head))
        return case

    def demand(self, contract: Path) -> None:
        """Demand that the log is under this contract.

        Raises:
            LogDamaged: if it is under another.
            ContractInvalid: if this one doesn't hold.
        """
        agreed = Contract.load(contract)
        agreed.check()
        self._demand_same(agreed)

    def hold_to_process(self, config: Path) -> None:
        """Hold the log to what a process of another member holds of it."""
        member, opened = _opened(config)
        with opened as state, state.reading() as view:
            held = [one.checkpoint for one in stored(view, member.contract)]
            ruled = remembered.seen(view, self.party)
        self._demand_same(member.contract)
        self._seen += [Seen.of(member.name, one) for one in held if one.party == self.party]
        self._seen += [] if ruled is None else [Seen(member.name, *ruled)]

    def hold_to_export(self, path: Path) -> None:
        """Hold the log to what another member's exported log holds of it."""
        other = Bundle.open(path)
        self._demand_same(other.contract)
        by = other.checkpoint.party
        self._seen += [Seen.of(by, one) for one in other.held if one.party == self.party]

    def hold_to_receipt(self, path: Path) -> None:
        """Hold the log to a receipt.

        Raises:
            MessageInvalid, NotAuthorised: if the receipt doesn't hold.
        """
        text = files.read_bounded(path, receipts.MAX_BYTES, MessageInvalid).decode()
        receipt = Receipt.from_json(text)
        self._seen += seen_in(self.party, receipt, self._contract)
        self._receipts.append(receipt)

    @property
    def held_by(self) -> str:
        """Say who holds the log to its records."""
        names = sorted({one.by for one in self._seen} - {self.party, "its own tree"})
        return f"as {', '.join(names)} saw it" if names else "nobody else's checkpoint was at hand"

    def judged(self) -> Findings:
        """Return everything that isn't right."""
        if self._bundle is not None and not self._bundle.whole:
            findings = judge_some(self._entries, self._bundle.checkpoint)
        else:
            exported = None if self._bundle is None else self._bundle.checkpoint
            findings = judge(self._entries, self._seen, exported)
        if findings.found:
            return findings
        records = [Record.of(entry.content) for entry in self._entries]
        if self._bundle is None and (at := contradicted(self.party, records)) is not None:
            findings.add(f"record {at}", "others hold it to a log that isn't this one")
        for receipt in self._receipts:
            for what in missing(self.party, receipt, self._contract, records):
                findings.add("records", what)
        return findings

    def _demand_same(self, contract: Contract) -> None:
        """Demand that the log's contract is this one; raises LogDamaged otherwise."""
        if contract.hash != self._contract.hash:
            raise LogDamaged("the log is under another contract", party=self.party)


def _opened(config: Path) -> tuple[Membership, State]:
    read = MemberConfig.load(config)
    member = Membership.load(read.identity, read.contract)
    return member, State.open(read.state, read.keys, member.contract.terms.room.name)
