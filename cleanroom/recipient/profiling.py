"""The recipient's side of a profile: what each owner tells, checked against what it signed."""

from cleanroom.errors import MessageInvalid, PeerMisbehaved
from cleanroom.execution.profile import MAX_BYTES, Told
from cleanroom.identity.exchange import Exchange
from cleanroom.plan.profile import ProfilePlan
from cleanroom.recipient.heard import Heard
from cleanroom.session.about import Profile
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.routes import CONVERSE
from cleanroom.tasks import together
from cleanroom.transport.channel import Channel
from cleanroom.transport.envelopes import Opening


class Listening:
    """Takes what the owners of one table tell."""

    def __init__(self, plan: ProfilePlan) -> None:
        self._plan = plan
        self._exchange = Exchange()

    @property
    def profile(self) -> Profile:
        """What the request says of this profile."""
        return Profile(table=self._plan.table, exchange=self._exchange.public)

    async def opened(self, session: Heard, channel: Channel) -> dict[str, Told]:
        """Return what each owner told.

        Raises:
            PeerMisbehaved: if an owner told something else than it signed, or than it may.
        """
        await session.accepted.wait()
        names = session.request.members
        heard = await together(
            *(self._listen(session, channel, name, i) for i, name in enumerate(names, start=1))
        )
        await session.done.wait()
        told = {}
        for name, (data, digest) in zip(names, heard, strict=True):
            if session.finished[name, "profile"].digest != digest:
                raise PeerMisbehaved("signed another profile than it sent", party=name)
            try:
                told[name] = Told.of(data, self._plan)
            except MessageInvalid as error:
                raise PeerMisbehaved(error.message, party=name) from None
        return told

    async def _listen(
        self, session: Heard, channel: Channel, name: str, place: int
    ) -> tuple[bytes, str]:
        """Return what an owner sent, and its digest."""
        request, key = session.request, session.rulings[name].exchange
        if key is None:
            raise PeerMisbehaved("accepted without a key of this session", party=name)
        binding = binding_of(request, key)
        call = channel.open(CONVERSE)
        try:
            await call.send(Opening(request.session, request.plan_hash, leaf=place).to_bytes())
            talk = Conversation(call, Names(name, key), self._exchange, binding)
            data = await talk.receive(MAX_BYTES)
            await call.last()
            await call.finish()
        finally:
            call.cancel()  # nothing, once it has ended
        digest = Digest(binding)
        digest.add(data)
        return data, digest.hexdigest()
