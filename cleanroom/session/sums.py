"""What owners and recipient of a training have in common: who is added up, how many must stay.

Rule: from the plan and signed statements; how a fault of the sums is told as one of the room.
"""

from collections.abc import Callable

from cleanroom.contract.document import Contract
from cleanroom.errors import CleanroomError, NotAuthorised, PeerMisbehaved, PeerUnavailable
from cleanroom.plan.training import TrainPlan
from cleanroom.session.agreement import Agreement
from protocols.rounds import ProtocolError
from protocols.secagg.errors import Misbehaved, TooFewMembers
from protocols.secagg.roster import Roster

OVERHEAD_BYTES = 1 << 20  # of a message beside its numbers: shares, signatures, a step's header
RULING_BYTES = 1 << 12  # of one that accepts


def roster_of(plan: TrainPlan, agreement: Agreement) -> Roster:
    """Return whose numbers are added up in this very session."""
    return Roster(plan.owners, plan.least, f"recipient {plan.recipient}", agreement.binding)


def verifying(contract: Contract) -> Callable[[str, bytes, bytes], bool]:
    """Return what tells whether a member signed something."""

    def verify(member: str, message: bytes, signature: bytes) -> bool:
        try:
            contract.identities[member].verify(message, signature)
        except NotAuthorised:
            return False
        return True

    return verify


def told(error: ProtocolError) -> CleanroomError:
    """Return a fault of the sums as one of the room, naming whoever is behind it."""
    match error:
        case Misbehaved(suspects=suspects):
            names = " or ".join(sorted(name.removeprefix("recipient ") for name in suspects))
            return PeerMisbehaved(f"a secure sum was refused, {error}", party=names)
        case TooFewMembers(missing=missing):
            return PeerUnavailable(f"too few owners stayed: {error}", party=", ".join(missing))
    raise error
