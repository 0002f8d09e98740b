"""What a session's recipient has heard from the members: rulings, reports, the first failure."""

import asyncio
from dataclasses import dataclass, field

from cleanroom.errors import GONE, CleanroomError, MessageInvalid, PeerMisbehaved, PolicyDenied
from cleanroom.session.statements import (
    Failed,
    Finished,
    Request,
    RuledViolation,
    Ruling,
    Signed,
    Statement,
)
from cleanroom.transport import faults


@dataclass
class Heard:
    """What the members stated so far.

    Attributes:
        expected: how many reports of finished parts there will be.
        signed: the request first.
        left: owners without whom a training goes on.
        begun: set when the coordinator has passed the request on; accepted: when all members
            have accepted; done: when all have reported.
    """

    request: Request
    expected: int
    signed: list[Signed]
    rulings: dict[str, Ruling] = field(default_factory=dict)
    finished: dict[tuple[str, str], Finished] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, signed: Signed, statement: Statement) -> None:
        """Note a statement.

        Raises:
            CleanroomError: what a member failed with, or every violation once all have ruled.
        """
        self.signed.append(signed)
        match statement:
            case Ruling(party=party):
                self._check_subject(statement)
                self.rulings[party] = statement
                if self.rulings.keys() == set(self.request.members):
                    _check_accepted(self.rulings)
                    self.accepted.set()
            case Finished(party=party, role=role):
                self._check_subject(statement)
                self.finished[party, role] = statement
                self._check_done()
            case Failed(party=party, code=code, blamed=blamed, message=message, remedy=remedy):
                fault = faults.to_error(code, blamed, message, remedy)
                if not self._goes_on(fault):
                    raise fault
                self.leave(party)
            case Request():
                raise MessageInvalid("a member answered with a request")

    def leave(self, party: str) -> None:
        """Expect no more of an owner without whom the training goes on."""
        if party in self.request.members and not any(name == party for name, _ in self.finished):
            self.left.add(party)
        self._check_done()

    def _goes_on(self, fault: CleanroomError) -> bool:
        training = self.request.training is not None and self.accepted.is_set()
        return training and isinstance(fault, GONE)

    def _check_done(self) -> None:
        if len(self.finished) + len(self.left) == self.expected:
            self.done.set()

    def _check_subject(self, statement: Ruling | Finished) -> None:
        asked = self.request
        if (statement.session, statement.contract_hash, statement.plan_hash) != (
            asked.session,
            asked.contract_hash,
            asked.plan_hash,
        ):
            raise PeerMisbehaved("answered another request", party=statement.party)


def _check_accepted(rulings: dict[str, Ruling]) -> None:
    """Raise one error with every violation that any member found, each once."""
    found: dict[RuledViolation, None] = {}
    for ruling in rulings.values():
        found.update(dict.fromkeys(ruling.violations))
    refused = [name for name, ruling in rulings.items() if not ruling.accepted]
    if not refused:
        return
    lines = [f"{v.party}: {v.message}" if v.party else v.message for v in found]
    remedies = dict.fromkeys(v.remedy for v in found if v.remedy)
    said = "; ".join(lines) or "no reason was given"
    raise PolicyDenied(said, party=", ".join(refused), remedy=" ".join(remedies))
