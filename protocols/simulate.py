"""Run all three parties of a protocol in this process, round by round, and count."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias, TypeVar

from protocols.context import Context
from protocols.randomness import Prss
from protocols.rounds import U64, Gate, Inbox, Party, ProtocolError, Round, Steps

T = TypeVar("T")
Tamper: TypeAlias = Callable[[Party, Party, Gate, U64], U64]


@dataclass(slots=True)
class Transcript:
    """What an observer of the wires sees: for each round, who sent how many words at which gate."""

    rounds: list[tuple[tuple[Party, Party, Gate, int], ...]] = field(default_factory=list)

    def bytes_sent(self, party: Party) -> int:
        """Return the bytes that one party sent in all."""
        return sum(8 * n for sends in self.rounds for sender, _, _, n in sends if sender == party)


def contexts(seed: bytes, gate: str = "t") -> tuple[Context, Context, Context]:
    """Return the three parties' contexts at one gate, under keys that follow from `seed`."""
    keys = [sha256(seed + bytes([party])).digest() for party in Party]
    p0, p1, p2 = (Context(p, Prss(keys[p], keys[p.next]), Gate(gate)) for p in Party)
    return p0, p1, p2


def simulate(
    parties: Sequence[Steps[T]], tamper: Tamper | None = None, transcript: Transcript | None = None
) -> tuple[T, ...]:
    """Drive one generator per party to its end and return what each computed.

    Args:
        parties: generators in party order, not yet started.
        tamper: called with (sender, receiver, gate, vector); what it returns is delivered.
        transcript: filled with gates and sizes, never with words.

    Raises:
        ProtocolError: if a party waits for what no one sends in that round, or ignores a message.
    """
    results: dict[Party, T] = {}

    def resume(party: Party, inbox: Inbox | None) -> Round | None:
        try:
            return next(parties[party]) if inbox is None else parties[party].send(inbox)
        except StopIteration as done:
            results[party] = done.value
            return None

    rounds = {party: resume(party, None) for party in Party}
    while live := {party: r for party, r in rounds.items() if r is not None}:
        if transcript is not None:
            transcript.rounds.append(tuple(_sizes(live)))
        rounds = {p: resume(p, _inbox(p, live, tamper)) for p in live}
    return tuple(results[party] for party in Party)


def _sizes(live: Mapping[Party, Round]) -> Iterator[tuple[Party, Party, Gate, int]]:
    for sender, round_ in live.items():
        for (receiver, gate), vector in sorted(round_.send.items(), key=lambda item: item[0]):
            yield sender, receiver, gate, vector.size


def _inbox(me: Party, live: Mapping[Party, Round], tamper: Tamper | None) -> Inbox:
    awaited = live[me].await_from
    unread = [
        (sender.name, gate)
        for sender, round_ in live.items()
        for receiver, gate in round_.send
        if receiver == me and (sender, gate) not in awaited
    ]
    if unread:
        raise ProtocolError(f"{me.name} doesn't wait for {unread[0]}")
    inbox = {}
    for sender, gate in awaited:
        sent = live[sender].send.get((me, gate)) if sender in live else None
        if sent is None:
            raise ProtocolError(f"{me.name} waits at {gate} for what {sender.name} never sends")
        inbox[sender, gate] = tamper(sender, me, gate, sent) if tamper else sent
    return inbox
