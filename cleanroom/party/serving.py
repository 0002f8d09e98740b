"""What a computing member offers on its port: take contributions and rounds, hand out outcomes.

Rule: each call is checked against its session by the caller's certificate before a byte of data
is read; a peer that breaks off or sends what it may not is named.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from cleanroom.errors import (
    CleanroomError,
    MessageInvalid,
    NotAuthorised,
    PeerMisbehaved,
    PeerUnavailable,
    PlanMismatch,
)
from cleanroom.execution.contribute import Contribution
from cleanroom.party.query_run import QueryRun
from cleanroom.party.sessions import Sessions
from cleanroom.session.member import Membership
from cleanroom.session.routes import COLLECT, CONTRIBUTE, ROUNDS
from cleanroom.tasks import first
from cleanroom.transport.call import Call, Route
from cleanroom.transport.envelopes import Opening, OutcomeHeader
from cleanroom.transport.grpc_link import deliver, receive_vector, send_vector
from protocols.rounds import Party


def routes(member: Membership, sessions: Sessions) -> Mapping[str, Route]:
    """Return the calls of a computing member."""

    def route(serve: Callable[[Call, QueryRun, Opening], Awaitable[None]]) -> Route:
        async def serve_call(call: Call) -> None:
            if call.peer not in member.contract.terms.members:
                raise NotAuthorised("is not a member", party=call.peer)
            opening = Opening.of(await call.receive())
            session = await sessions.find(opening.session)
            if opening.plan_hash != session.request.plan_hash:
                raise PlanMismatch("accepted another plan for this session", party=call.peer)
            if session.plan.ciphertexts is not None:
                raise MessageInvalid("the session runs on ciphertexts", party=call.peer)
            await serve(call, session, opening)

        return serve_call

    return {CONTRIBUTE: route(_contribute), ROUNDS: route(_rounds), COLLECT: route(_collect)}


async def _contribute(call: Call, session: QueryRun, opening: Opening) -> None:
    """Take an owner's share of one leaf."""
    leaf, n, n_words = opening.leaf, opening.n, opening.n_words
    session.admit(call.peer, leaf, n, n_words)
    try:
        words = await first(receive_vector(call, f"leaf/{leaf}", n_words), session.until_failed())
    except MessageInvalid as error:
        raise _misbehaved(session, call.peer, error) from None
    except (asyncio.CancelledError, PeerUnavailable):
        session.lost(call.peer)
        raise
    session.contribute(Contribution(leaf, n, words))


async def _rounds(call: Call, session: QueryRun, _: Opening) -> None:
    """Take a computing peer's messages for as long as the session runs."""
    ranks = session.ranks
    if call.peer not in ranks or call.peer == session.member.name:
        raise NotAuthorised("is not a computing peer", party=call.peer)
    if call.peer in session.streaming:
        raise NotAuthorised("opened a second stream of rounds", party=call.peer)
    session.streaming.add(call.peer)
    try:
        sender = Party(ranks.index(call.peer))
        await first(deliver(call, sender, session.mailbox), session.until_failed())
    except MessageInvalid as error:
        raise _misbehaved(session, call.peer, error) from None
    except (asyncio.CancelledError, PeerUnavailable):
        session.lost(call.peer)
        raise


async def _collect(call: Call, session: QueryRun, _: Opening) -> None:
    """Hand the outcome share to the recipient, once."""
    outcome = await session.collect(call.peer)
    await call.send(OutcomeHeader(outcome.n, outcome.words.size).to_bytes())
    await send_vector(call, "outcome", outcome.words)
    session.collected()


def _misbehaved(session: QueryRun, peer: str, error: MessageInvalid) -> CleanroomError:
    fault = PeerMisbehaved(error.message, party=peer)
    session.fail(fault)
    return fault.again()
