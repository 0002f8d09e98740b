"""What a session's recipient has heard from the members: rulings, reports, the first failure.

Rule: once one member has refused, the others have a moment to say what they find, so that one
error tells everything that has to change.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cleanroom.contract.document import Contract
from cleanroom.errors import (
    GONE,
    ApprovalNeeded,
    CleanroomError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PolicyDenied,
)
from cleanroom.session.statements import (
    Failed,
    Finished,
    Request,
    RuledViolation,
    Ruling,
    Signed,
    Statement,
    read,
)
from cleanroom.transport import faults

REFUSED_S = 3.0  # in which other members say what they find, once one has refused


@dataclass
class Heard:
    """What the members stated so far.

    Attributes:
        expected: how many reports of finished parts there will be.
        signed: the request first.
        left: owners without whom a training goes on.
        begun: set when the coordinator has passed the request on; accepted: when all members
            have accepted; done: when all have reported.
        ends_at: of the monotonic clock: when the first refusal is raised, if others haven't ruled.
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
    ends_at: float | None = None

    def add(self, signed: Signed, statement: Statement) -> None:
        """Note a statement.

        Raises:
            PolicyDenied: every violation, once all have ruled, or one failed after a refusal.
            CleanroomError: what a member failed with.
        """
        self.signed.append(signed)
        match statement:
            case Ruling(party=party):
                self._check_subject(statement)
                self.rulings[party] = statement
                if not statement.accepted and self.ends_at is None:
                    self.ends_at = time.monotonic() + REFUSED_S
                if self.rulings.keys() == set(self.request.members):
                    self.check_accepted()
                    self.accepted.set()
            case Finished(party=party, role=role):
                self._check_subject(statement)
                self.finished[party, role] = statement
                self._check_done()
            case Failed(party=party, code=code, blamed=blamed, message=message, remedy=remedy):
                fault = faults.to_error(code, blamed, message, remedy)
                self.check_accepted()
                if not self._goes_on(fault):
                    raise fault
                self.leave(party)
            case Request():
                raise MessageInvalid("a member answered with a request")

    def check_accepted(self) -> None:
        """Raise one error with every violation that members found so far, if they did."""
        silent = [name for name in self.request.members if name not in self.rulings]
        _check_accepted(self.rulings, silent)

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


def statement_of(signed: Signed, request: Request, contract: Contract) -> Statement:
    """Return what a member stated about a request.

    Raises:
        MessageInvalid, NotAuthorised: if it isn't about this session, or of one of its members.
    """
    statement = read(signed, contract)
    if statement.session != request.session:
        raise MessageInvalid("a statement about another session", party=signed.signer)
    if signed.signer not in request.members:
        raise NotAuthorised("has no part in this session", party=signed.signer)
    return statement


def _check_accepted(rulings: Mapping[str, Ruling], silent: Collection[str]) -> None:
    """Raise one error with every violation that any member found, each once, by who found it."""
    refused = [name for name, ruling in rulings.items() if not ruling.accepted]
    if not refused:
        return
    found: dict[RuledViolation, list[str]] = {}
    for name in refused:
        for violation in rulings[name].violations:
            found.setdefault(violation, []).append(name)
    lines = [_line(violation, by, len(rulings)) for violation, by in found.items()]
    if silent:
        lines.append(f"not ruled yet: {', '.join(silent)}")
    remedies = dict.fromkeys(v.remedy for v in found if v.remedy)
    said = "; ".join(lines) or "no reason was given"
    raise _kind(found)(said, party=", ".join(refused), remedy=" ".join(remedies))


def _kind(violations: Collection[RuledViolation]) -> type[PolicyDenied]:
    """Return the error for violations: whether a person's approval is all that is missing."""
    waits = bool(violations) and all(v.code == ApprovalNeeded.code for v in violations)
    return ApprovalNeeded if waits else PolicyDenied


def _line(violation: RuledViolation, by: list[str], n_rulings: int) -> str:
    """Say what breaks which rule, and whose rows it concerns; else who found it, unless all did."""
    who = violation.party or (", ".join(by) if len(by) < n_rulings else "")
    said = f"{violation.message} [{violation.rule}]"
    return f"{who}: {said}" if who else said
