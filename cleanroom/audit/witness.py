"""A process's own log and what it holds the others' to: what it shows, hears, asks, and concludes.

Rule: no channel. Every checkpoint that arrives is heard, in order; what `hear` returns goes out.
Somebody else's checkpoint is either proven to go on from the held one, or its member is asked to
prove that. One's own, held by somebody else, is looked up in the log: where it isn't found, this
process's state is an old copy or another's, and it takes part in nothing until that holder asks
about what is found. Once a member's log was accepted, only its own answer counts: what others still
show of it holds it to nothing.
"""

from collections.abc import Collection, Sequence

from cleanroom.audit import checkpoint as checkpoints
from cleanroom.audit.checkpoint import Checkpoint
from cleanroom.audit.held import Held, accepted, diverged, goes_on, store, stored
from cleanroom.audit.log import Head, Log, append, check_member, head, set_member
from cleanroom.audit.record import Kind, Record
from cleanroom.errors import (
    CleanroomError,
    LogDiverged,
    PeerUnavailable,
    RowsChanged,
    StateUnavailable,
)
from cleanroom.session.member import Membership
from cleanroom.session.statements import Committed, Signed
from cleanroom.storage.state import State
from cleanroom.transport.envelopes import Shown


class Witness:
    """One process's view of all logs of its room.

    Attributes:
        log: its own.
        inputs: what it committed its tables' rows to.
    """

    def __init__(self, member: Membership, state: State, inputs: Sequence[Committed] = ()) -> None:
        self.log, self.inputs = Log(state), tuple(inputs)
        self._member, self._state = member, state
        with state.reading() as view:
            check_member(view, member.name, state.path)
            self._held = {h.checkpoint.party: h for h in stored(view, member.contract)}
            self._accepted = set(accepted(view))
        self._unsaved: set[str] = set()
        self._asked: set[str] = set()
        self._faults: dict[str, CleanroomError] = {}
        self._contradicted: dict[str, LogDiverged] = {}  # by who holds this log to another one
        self._published = 0

    @property
    def name(self) -> str:
        return self._member.name

    # --- what it shows ---------------------------------------------------------------

    def publish(self) -> Shown:
        """Return this process's newest checkpoint for everybody, proven from the last one."""
        since = self._published
        self._published, shown = self._own(since, "")
        return shown

    def current(self) -> Shown:
        """Return this process's newest checkpoint, without a proof."""
        return self._own(0, "")[1]

    def held_of(self, party: str) -> Signed | None:
        """Return the newest checkpoint that is held of a member."""
        held = self._held.get(party)
        return None if held is None else held.signed

    def ask(self, party: str) -> list[Shown]:
        """Ask a member to prove that its log goes on from what is held of it, if anything is."""
        signed = self.held_of(party)
        return [] if signed is None else [Shown(signed, member=party)]

    # --- what it hears ---------------------------------------------------------------

    def hear(self, shown: Shown) -> list[Shown]:
        """Take notice of a checkpoint, and return what to say to it, and to whom.

        Raises:
            MessageInvalid, NotAuthorised: if it is nobody's.
        """
        new = checkpoints.read(shown.checkpoint, self._member.contract)
        if new.party == self.name:
            known = shown.member in self._member.contract.identities
            return [self._answer(new, shown.member if known else "")]
        try:
            return self._take(new, shown)
        except (LogDiverged, RowsChanged) as fault:
            self._blame(new.party, fault)
            return []

    def unsettled(self, members: Collection[str]) -> frozenset[str]:
        """Return which of these members were asked to prove something and haven't yet."""
        return frozenset(self._asked & set(members))

    def check(self, members: Collection[str]) -> None:
        """Return if nothing speaks against a session with these members.

        Raises:
            LogDiverged, RowsChanged: naming the first against whom something does; this process's
                own member first.
            PeerUnavailable: naming a member that was asked for a proof and hasn't answered.
        """
        for fault in self._contradicted.values():
            raise fault.again()
        for name in members:
            if name in self._faults:
                raise self._faults[name].again()
            if name in self._asked:
                raise PeerUnavailable(self._unproven(name), party=name)

    def add(self, *records: Record) -> Head:
        """Add records to the log, and write down what is newly held.

        Nothing is lost if that comes late: the next process then holds others to a little less.

        Raises:
            StateUnavailable: if they can't be written.
        """
        names, self._unsaved = self._unsaved, set()
        try:
            with self._state.writing() as batch:
                set_member(batch, self.name)
                since = accepted(batch) - self._accepted  # while this process ran: they stay so
                store(batch, {name: self._held[name] for name in names - since})
                for record in records:
                    append(batch, record)
                stands = head(batch)
        except StateUnavailable:
            self._unsaved |= names
            raise
        self._accepted -= names
        return stands

    # ---------------------------------------------------------------------------------

    def _answer(self, held: Checkpoint, holder: str) -> Shown:
        """Answer a member that holds a checkpoint of this log."""
        if self.log.root_of(held.size) == held.head.root:
            if self._contradicted.pop(holder, None) and not self._contradicted:
                self.add(Record.now(Kind.ACCEPTED, who=self.name))
            return self._own(held.size, holder)[1]
        what = f"{holder or 'another member'} holds it to {held.size} records that aren't its log's"
        fault = LogDiverged(what, party=self.name)
        known, self._contradicted[holder] = self._contradicted.get(holder), fault
        self._log_blame(known, fault)
        return self._own(0, holder)[1]

    def _take(self, new: Checkpoint, shown: Shown) -> list[Shown]:
        held = self._held.get(new.party)
        again = held is None and new.party in self._accepted
        if again and shown.member != self.name:
            self._asked.add(new.party)
            return [Shown(shown.checkpoint, member=new.party)]
        if held is None or goes_on(held.checkpoint, new, shown):
            self._held[new.party] = Held(new, shown.checkpoint)
            self._unsaved.add(new.party)
            self._asked.discard(new.party)
            self._faults.pop(new.party, None)
            return self.ask(new.party) if again else []  # it learns what it is held to now
        if shown.member == self.name and shown.since == 0:
            raise diverged(held.checkpoint)  # asked for a proof, it gave none
        self._asked.add(new.party)
        return self.ask(new.party)  # again, too: a connection may have broken since

    def _own(self, since: int, to: str) -> tuple[int, Shown]:
        stands = self.log.head()
        proof = self.log.growth(since, stands.size) if 0 < since < stands.size else []
        signed = checkpoints.sign(self._member.identity, self._member.contract, stands, self.inputs)
        return stands.size, Shown(signed, since, tuple(proof), to)

    def _blame(self, name: str, fault: CleanroomError) -> None:
        self._asked.discard(name)
        known, self._faults[name] = self._faults.get(name), fault
        self._log_blame(known, fault)

    def _log_blame(self, known: CleanroomError | None, fault: CleanroomError) -> None:
        if known is None or known.message != fault.message:
            self.add(Record.now(Kind.DIVERGED, who=fault.party, codes=(fault.code,)))

    def _unproven(self, name: str) -> str:
        held = self._held.get(name)
        if held is None:
            return "hasn't said yet where its log stands, after that was accepted"
        return f"hasn't shown yet that its log goes on from {held.checkpoint.size} records"
