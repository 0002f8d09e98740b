"""Interactive protocols as generators: the mathematics asks, a driver answers.

A protocol is a generator. It yields a `Round`, what this party sends and whom it then waits
for, and is resumed with what arrived. It never sees a socket, a clock or a thread, so one
definition runs in memory under test, over gRPC in a room, and under a recorder in a benchmark.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NewType, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

U64: TypeAlias = NDArray[np.uint64]
Gate = NewType("Gate", str)
T = TypeVar("T")
S = TypeVar("S")


class Party(IntEnum):
    """The three computing parties, on a ring."""

    P0 = 0
    P1 = 1
    P2 = 2

    @property
    def next(self) -> "Party":
        return Party((self + 1) % 3)

    @property
    def prev(self) -> "Party":
        return Party((self - 1) % 3)


Slot: TypeAlias = tuple[Party, Gate]
Inbox: TypeAlias = Mapping[Slot, U64]


@dataclass(frozen=True, slots=True)
class Round:
    """One communication round of one party.

    Attributes:
        send: for each (receiver, gate), a contiguous vector of shape (n,).
        await_from: the (sender, gate) pairs this party can't go on without.
    """

    send: Mapping[Slot, U64] = field(default_factory=dict)
    await_from: frozenset[Slot] = frozenset()


Steps: TypeAlias = Generator[Round, Inbox, T]


class ProtocolError(Exception):
    """A protocol can't go on; the session must end without opening anything."""


class PeerMisbehaved(ProtocolError):
    """A peer sent what the protocol doesn't allow.

    Attributes:
        suspects: parties of which at least one deviated.
        gate: the step at which it showed.
    """

    def __init__(self, suspects: frozenset[Party], gate: Gate, what: str) -> None:
        names = ", ".join(sorted(party.name for party in suspects))
        super().__init__(f"{names} at {gate}: {what}")
        self.suspects = suspects
        self.gate = gate


def expect(inbox: Inbox, slot: Slot, n: int) -> U64:
    """Return the vector at `slot`, or refuse its sender if it isn't uint64 of shape (n,)."""
    sender, gate = slot
    got = inbox[slot]
    if got.dtype != np.uint64 or got.shape != (n,):
        raise PeerMisbehaved(
            frozenset({sender}), gate, f"expected uint64({n},), got {got.dtype}{got.shape}"
        )
    return got


@overload
def parallel(first: Steps[S], second: Steps[T], /) -> Steps[tuple[S, T]]: ...
@overload
def parallel(*branches: Steps[T]) -> Steps[tuple[T, ...]]: ...
def parallel(*branches: Steps[Any]) -> Steps[tuple[Any, ...]]:
    """Run independent protocols side by side, their k-th rounds as one round.

    Raises:
        ProtocolError: if two branches send at the same gate.

    Cost: as many rounds as the longest branch; bytes add up.
    """
    results: dict[int, Any] = {}

    def resume(i: int, inbox: Inbox | None) -> Round | None:
        try:
            return next(branches[i]) if inbox is None else branches[i].send(inbox)
        except StopIteration as done:
            results[i] = done.value
            return None

    rounds = {i: resume(i, None) for i in range(len(branches))}
    while live := {i: r for i, r in rounds.items() if r is not None}:
        send: dict[Slot, U64] = {}
        for r in live.values():
            if not send.keys().isdisjoint(r.send):
                raise ProtocolError("two branches share a gate")
            send.update(r.send)
        awaited = frozenset(slot for r in live.values() for slot in r.await_from)
        inbox = yield Round(send, awaited)
        rounds = {i: resume(i, {s: inbox[s] for s in r.await_from}) for i, r in live.items()}
    return tuple(results[i] for i in range(len(branches)))
