"""One session at the coordinator: what was asked, who has ruled, and where its members meet."""

from dataclasses import dataclass, field

from cleanroom.coordinator.line import Line
from cleanroom.coordinator.piping import Pipe
from cleanroom.coordinator.summing import Summing
from cleanroom.errors import GONE, CleanroomError
from cleanroom.session.statements import Request, Signed


@dataclass
class Relay:
    """One session on its way.

    Attributes:
        signed: what its members stated so far, the request first: together its receipt.
        summing: where contributors' ciphertexts are added up, if it is a query on ciphertexts.
        pipe: where members converse with the recipient: in scorings, trainings and profiles.
    """

    request: Request
    signed: list[Signed]
    line: Line = field(default_factory=Line)
    ruled: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    summing: Summing | None = None
    pipe: Pipe | None = None

    def __post_init__(self) -> None:
        if self.request.rehearsal is not None:
            return
        asked = self.request
        if any((asked.scoring, asked.training, asked.profile)):
            self.pipe = Pipe(self.request)
        elif self.request.encryption is not None:
            self.summing = Summing(self.request, self.request.encryption)

    def leave(self, member: str, fault: CleanroomError) -> bool:
        """Let a session go on without a member; return False if it has to end.

        A rehearsal does, as does a training in which enough others stay.
        """
        if self.request.rehearsal is not None:
            return True
        if self.pipe is None or self.request.training is None or not isinstance(fault, GONE):
            return False
        if self.refused or self.ruled != set(self.request.members):
            return False
        self.pipe.leave(member, fault)
        return True

    def fail(self, fault: CleanroomError) -> None:
        """End the recipient's call, and every call of the members."""
        self.line.close(fault)
        for meeting in (self.summing, self.pipe):
            if meeting is not None:
                meeting.fail(fault)
