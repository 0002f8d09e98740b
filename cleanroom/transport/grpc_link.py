"""A session's streams to and from its peers: rounds out, rounds in."""

from collections.abc import Mapping

from cleanroom.errors import MessageInvalid
from cleanroom.tasks import together
from cleanroom.transport.call import Call
from cleanroom.transport.frames import MAX_WORDS, Assembly, encode, read_head
from cleanroom.transport.mailbox import Mailbox
from protocols.rounds import U64, Inbox, Party, Round

_SMALL = 1 << 16  # bytes; below it tasks cost more than they overlap


class GrpcLink:
    """Sends on one open call a peer and takes from the mailbox that peers deliver into.

    Attributes:
        rounds: how many were exchanged.
        bytes_sent: payload alone.
    """

    def __init__(self, calls: Mapping[Party, Call], mailbox: Mailbox) -> None:
        self._calls = calls
        self._mailbox = mailbox
        self.rounds = 0
        self.bytes_sent = 0

    async def exchange(self, round_: Round, /) -> Inbox:
        self.rounds += 1
        slots = tuple(round_.await_from)
        self._mailbox.expect(slots)  # before sending: peers whose vectors wait must not stall us
        total = sum(vector.nbytes for vector in round_.send.values())
        receivers = sorted({to for to, _ in round_.send})
        if total <= _SMALL or len(receivers) == 1:
            for to in receivers:
                await self._send_all(to, round_)
        else:
            await together(*(self._send_all(to, round_) for to in receivers))
        self.bytes_sent += total
        return {slot: await self._mailbox.take(slot) for slot in slots}

    async def _send_all(self, to: Party, round_: Round) -> None:
        for (receiver, gate), vector in round_.send.items():
            if receiver is to:
                await send_vector(self._calls[to], gate, vector)


async def send_vector(call: Call, gate: str, vector: U64) -> None:
    """Send one vector of shape (n,) as frames."""
    for frame in encode(gate, vector):
        await call.send(frame)


async def receive_vector(call: Call, gate: str, n_words: int) -> U64:
    """Return the one vector that is due, of a size that was agreed before.

    Raises:
        MessageInvalid: if it is another, or cut short.
    """
    got, declared, first = read_head(await call.receive() or b"", max_words=n_words)
    if got != gate or declared != n_words:
        raise MessageInvalid(f"expected {gate} of {n_words} words")
    return await _rest(call, declared, first)


async def deliver(call: Call, sender: Party, mailbox: Mailbox) -> None:
    """File every vector of a peer's stream under who it is and the gate that it names."""
    while (frame := await call.receive()) is not None:
        gate, n_words, first = read_head(frame, MAX_WORDS)
        await mailbox.admit(sender, gate, n_words)
        mailbox.put(sender, gate, await _rest(call, n_words, first))


async def _rest(call: Call, n_words: int, first: memoryview) -> U64:
    assembly = Assembly(n_words)
    vector = assembly.feed(first)
    while vector is None:
        vector = assembly.feed(await call.receive() or b"")
    return vector
