"""A rehearsal as its recipient conducts it: every member rules on a plan, and nothing runs.

Rule: members that can't be reached or don't answer are told of, never waited for without end.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from cleanroom.errors import CleanroomError
from cleanroom.recipient.heard import statement_of
from cleanroom.session.member import Membership
from cleanroom.session.routes import ABSENT, LEFT, SUBMIT
from cleanroom.session.statements import (
    Failed,
    Request,
    RuledViolation,
    Ruling,
    Signed,
    Statement,
    sign,
)
from cleanroom.transport import envelopes, faults
from cleanroom.transport.channel import Channel, Outgoing
from cleanroom.transport.envelopes import pack, unpack

ANSWER_S = 30  # in which members have ruled, or count as silent


class Verdict(StrEnum):
    """What came of asking a member for its ruling."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"  # it can't rule: another release, or a fault of its own
    ABSENT = "absent"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class MemberRuling:
    """What one member said of a plan.

    Attributes:
        violations: every one that it found, if it refused.
        fault: why it can't rule, if it failed.
    """

    member: str
    verdict: Verdict
    violations: tuple[RuledViolation, ...] = ()
    fault: CleanroomError | None = None


async def rehearse(member: Membership, channel: Channel, request: Request) -> list[MemberRuling]:
    """Have every member of a request rule on it; return their rulings in the request's order.

    Args:
        channel: to the coordinator.

    Raises:
        CleanroomError: if the coordinator can't be reached, or refuses the request.
    """
    said: dict[str, MemberRuling] = {}
    call = channel.open(SUBMIT)
    try:
        await call.send(pack(sign(member.identity, request)))
        async with asyncio.timeout(ANSWER_S):
            await _listen(call, member, request, said)
    except TimeoutError:
        pass
    finally:
        call.cancel()  # nothing, once it has ended
    return [said.get(name, MemberRuling(name, Verdict.SILENT)) for name in request.members]


async def _listen(
    call: Outgoing, member: Membership, request: Request, said: dict[str, MemberRuling]
) -> None:
    while said.keys() != set(request.members):
        match unpack(await call.receive()):
            case Signed() as signed:
                ruling = _ruling(statement_of(signed, request, member.contract), request)
            case envelopes.Progress(member=name, stage=stage) if stage in (ABSENT, LEFT):
                ruling = MemberRuling(name, Verdict.ABSENT)
            case _:
                continue
        if ruling is not None and ruling.member in request.members:
            said.setdefault(ruling.member, ruling)
    await call.last()
    await call.finish()


def _ruling(statement: Statement, request: Request) -> MemberRuling | None:
    match statement:
        case Ruling(party=party, accepted=accepted, violations=violations):
            if (statement.contract_hash, statement.plan_hash) != (
                request.contract_hash,
                request.plan_hash,
            ):
                return None
            verdict = Verdict.ACCEPTED if accepted else Verdict.REFUSED
            return MemberRuling(party, verdict, violations)
        case Failed(party=party, code=code, blamed=blamed, message=message, remedy=remedy):
            fault = faults.to_error(code, blamed, message, remedy)
            return MemberRuling(party, Verdict.FAILED, fault=fault)
        case _:
            return None
