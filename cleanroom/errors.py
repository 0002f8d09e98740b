"""Everything the room raises on purpose: what happened, who is responsible, what to do.

Rule: an error names parties, tables, columns and limits. It never carries a value of a row.
Codes are stable: programs and audit records depend on them.
"""

from collections.abc import Iterator
from typing import ClassVar


class CleanroomError(Exception):
    """Base of all; `str()` is one readable paragraph.

    Attributes:
        code: stable name of the kind of error.
        party: the member responsible, or empty if it is the caller.
        remedy: the smallest change that helps.
    """

    code: ClassVar[str] = "cleanroom-error"
    remedy: str = ""

    def __init__(self, message: str, *, party: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.party = party
        self.remedy = remedy or type(self).remedy

    def again(self) -> "CleanroomError":
        """Return the same error without a traceback.

        One that is kept, or raised to several waiters, would hold all their frames alive.
        """
        return type(self)(self.message, party=self.party, remedy=self.remedy)

    def __str__(self) -> str:
        who = f" [{self.party}]" if self.party else ""
        remedy = f" Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.code}{who}: {self.message}.{remedy}"


class ContractInvalid(CleanroomError):
    """The contract's terms, keys or signatures don't hold; the message names the field."""

    code = "contract-invalid"
    remedy = "Correct the named field; every member then signs the new version."


class IdentityInvalid(CleanroomError):
    """An identity file is missing, readable by others, expired or not what the contract pins."""

    code = "identity-invalid"
    remedy = "Create the identity again with 'cleanroom identity create', or restore its files."


class ConfigInvalid(CleanroomError):
    """A configuration file of this process doesn't hold; the message names file and key."""

    code = "config-invalid"
    remedy = "Correct the named key; the README shows one file of each kind."


class NotAuthorised(CleanroomError):
    """The peer's certificate or signature is not the one that the signed contract names."""

    code = "not-authorised"
    remedy = "Use the identity that the contract pins."


class UnsupportedQuery(CleanroomError):
    """The SQL uses a construct that this version can't compute; the message names it."""

    code = "unsupported-query"


class PrivateValueRefused(CleanroomError):
    """A private parameter's value isn't one that it may have; nothing was sent.

    The message tells the parameter, its column and which value by its place, never the value.
    """

    code = "private-value-refused"


class TemplateRefused(CleanroomError):
    """No such template, a value that it doesn't allow, or another query in its name."""

    code = "template-refused"
    remedy = "'cleanroom templates' lists what the contract offers, with what values may be."


class UnknownName(CleanroomError):
    """No such table or column; the remedy names the nearest one."""

    code = "unknown-name"


class PolicyDenied(CleanroomError):
    """A data owner's policy refuses the plan; the message lists every violation at once."""

    code = "policy-denied"


class ApprovalNeeded(PolicyDenied):
    """Nothing but a person's approval is missing; the plan waits for it at the named members."""

    code = "approval-needed"


class ApprovalUnknown(CleanroomError):
    """Nobody asked for a plan of this hash, or its first digits are too few, or name several."""

    code = "approval-unknown"
    remedy = "'cleanroom approvals list' shows the plans that were asked for, with their hashes."


class OverflowPossible(CleanroomError):
    """The declared bounds don't prove that a sum stays below 2^63."""

    code = "overflow-possible"
    remedy = "Declare tighter bounds, max_rows or max_rows_per_person in the contract."


class DataMismatch(CleanroomError):
    """An owner's table differs from the contract: columns, types, bounds, NULLs or size."""

    code = "data-mismatch"
    remedy = "Correct the table, or agree on a new version of the contract."


class ModelMismatch(CleanroomError):
    """An owner's model file differs from the contract: features, numbers or limits."""

    code = "model-mismatch"
    remedy = "Correct the file, or agree on a new version of the contract."


class BudgetExhausted(CleanroomError):
    """The privacy budget of a table doesn't suffice for what was asked; nothing was charged."""

    code = "budget-exhausted"
    remedy = "Ask for less, or with more noise; only a new version of the contract grants more."


class StateUnavailable(CleanroomError):
    """What this process keeps can't be read or written durably; nothing is released without it."""

    code = "state-unavailable"
    remedy = "Make room on the disk, or restore the file and its mode 0600; never start a new one."


class StateDamaged(CleanroomError):
    """What this process kept was changed, exchanged, or put back from an old copy."""

    code = "state-damaged"
    remedy = "Find out who wrote to the file; then restore a backup with 'cleanroom state restore'."


class StateKeyRefused(CleanroomError):
    """The key that opens a state is missing, wrong, open to others, or too easily guessed."""

    code = "state-key-refused"
    remedy = "Put the right key file in its place, mode 0600; without it nothing opens the state."


class StateRestored(CleanroomError):
    """What this process keeps came out of a backup, which may not know of all that was charged."""

    code = "state-restored"
    remedy = "Its owner confirms that nothing was charged since, with 'cleanroom state confirm'."


class CertificateInvalid(CleanroomError):
    """A certificate that a table was erased doesn't hold; the message names what."""

    code = "certificate-invalid"
    remedy = "Ask the member for its certificate again, or compare the contract."


class TableErased(CleanroomError):
    """What was kept about a table was erased on purpose; the table takes part in nothing more."""

    code = "table-erased"
    remedy = "Agree on a new version of the contract, with the table under a new name."


class LogDamaged(CleanroomError):
    """A log isn't as it was written; the message says from which record on."""

    code = "log-damaged"
    remedy = "Keep the file as it is and find out who changed it; restore a backup of today."


class LogDiverged(CleanroomError):
    """A member's log doesn't go on from where others saw it: an old copy, or another history."""

    code = "log-diverged"
    remedy = (
        "Put the newest copy of its state back. If it is lost, all others have to agree to go on: "
        "each other member and the coordinator runs 'cleanroom audit accept' with the member's "
        "name and starts its process again, in any order."
    )


class RowsChanged(CleanroomError):
    """An owner's rows aren't those that it committed to in this epoch."""

    code = "rows-changed"
    remedy = "Put the old rows back, or say openly that they are new: 'cleanroom audit epoch'."


class EvidenceInvalid(CleanroomError):
    """A bundle of evidence isn't what its member signed; the message names the file."""

    code = "evidence-invalid"
    remedy = "Ask the member for the bundle again; trust nothing that is in this one."


class AppRefused(CleanroomError):
    """Foreign code that may not run here: not approved, changed since, or nothing confines it."""

    code = "app-refused"
    remedy = "Read the code, approve its hash in this member's file, and name that in the job."


class AppFailed(CleanroomError):
    """An app broke a rule, reached a limit or gave what can't be summed; nothing was opened.

    The message never holds what the app said: that is in the owner's own log of it.
    """

    code = "app-failed"
    remedy = "Correct the app; its new hash then needs every owner's approval."


class UnsupportedStrategy(CleanroomError):
    """A strategy that needs more than the mean of all updates; the message says what."""

    code = "unsupported-strategy"
    remedy = "Use FedAvg, FedAvgM, FedProx, FedAdam, FedAdagrad or FedYogi."


class JoinTooLarge(CleanroomError):
    """More joined rows than the plan's public bound; nothing was opened."""

    code = "join-too-large"
    remedy = (
        "Filter more, or declare max_rows_per_person so that the bound can be proven; the contract "
        "may say a larger max_joined for a gate, or max_left or further rungs for a linkage."
    )


class PlanMismatch(CleanroomError):
    """A party compiled another plan than the client: other contract, software or request."""

    code = "plan-mismatch"
    remedy = "Bring all parties to the same contract version and the same release."


class PeerMisbehaved(CleanroomError):
    """A peer sent what the protocol doesn't allow; the session ended, nothing was opened."""

    code = "peer-misbehaved"
    remedy = "Ask the named party for its log of this session; do not retry blindly."


class PeerUnavailable(CleanroomError):
    """A peer can't be reached or is silent past the deadline. The query may be run again."""

    code = "peer-unavailable"
    remedy = "Start the named process again, then repeat the query."


class SessionCancelled(CleanroomError):
    """The client, or a party that had to stop, ended the session."""

    code = "session-cancelled"
    remedy = "Run the query again."


class DeadlineExceeded(CleanroomError):
    """The session didn't finish before its deadline."""

    code = "deadline-exceeded"
    remedy = "Ask with a longer deadline, or for fewer rows."


class MessageInvalid(CleanroomError):
    """Bytes from the wire that are not a message of this room: refused before use."""

    code = "message-invalid"


class RequestReplayed(CleanroomError):
    """A signed request whose session was seen before, or is too old or from the future."""

    code = "request-replayed"
    remedy = "Send a new request; check the clocks of both machines."


class InternalError(CleanroomError):
    """A fault of this software at the named party; details are in that party's own log only."""

    code = "internal-error"
    remedy = "Report it with the session id."


GONE = (PeerUnavailable, SessionCancelled)  # of a member that left, rather than did wrong


def registry() -> dict[str, type[CleanroomError]]:
    """Return every error class by its stable code."""
    classes: list[type[CleanroomError]] = [CleanroomError, *_below(CleanroomError)]
    return {cls.code: cls for cls in classes}


def _below(cls: type[CleanroomError]) -> Iterator[type[CleanroomError]]:
    for found in cls.__subclasses__():
        yield from (found, *_below(found))
