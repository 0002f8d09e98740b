"""Sessions that are ended before they begin."""

import asyncio

from cleanroom.errors import CleanroomError, PeerUnavailable
from cleanroom.party.run import Run
from cleanroom.party.sessions import Sessions
from cleanroom.session.member import Membership
from cleanroom.session.statements import Request, new_session


def test_a_session_that_was_cancelled_before_it_began_ends_at_once(
    room: dict[str, Membership],
) -> None:
    request = Request(
        session=new_session(),
        contract_hash="c" * 64,
        recipient="analyst",
        sql="add 3 of bank_a",
        plan_hash="b" * 64,
        members=("bank_a",),
        issued_at=0,
        deadline_s=60,
    )

    async def play(_: Run) -> None:
        await asyncio.get_running_loop().create_future()

    async def ended() -> CleanroomError | None:
        sessions, run = Sessions(), Run(room["bank_a"], request)
        sessions.fail(run.id, PeerUnavailable("has left", party="bank_b"))
        await sessions.add(run)
        return await asyncio.wait_for(run.run(play), 10)

    fault = asyncio.run(ended())
    assert isinstance(fault, PeerUnavailable)
    assert fault.party == "bank_b"
