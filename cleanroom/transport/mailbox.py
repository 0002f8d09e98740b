"""Vectors that peers delivered and a session has not yet asked for: bounded, each step once."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from cleanroom.errors import CleanroomError, MessageInvalid
from protocols.rounds import U64, Gate, Party, Slot

CAP_BYTES = 256 << 20  # undelivered, of one peer
SLOT_BYTES = 512  # what the bookkeeping of one vector takes, whatever its size


class Mailbox:
    """One session's inbox.

    A peer that runs ahead is held back by its stream's flow control: a vector is admitted if it
    is awaited, or if the peer's undelivered bytes stay under the cap.
    """

    def __init__(self, cap_bytes: int = CAP_BYTES) -> None:
        self._cap_bytes = cap_bytes
        self._seen: set[Slot] = set()
        self._here: dict[Slot, U64] = {}
        self._awaited: dict[Slot, asyncio.Future[U64]] = {}
        self._held: Counter[Party] = Counter()
        self._stalled: dict[Party, asyncio.Future[None]] = {}
        self._fault: CleanroomError | None = None

    def held(self, sender: Party) -> int:
        """Return the undelivered bytes of one peer, those on their way in included."""
        return self._held[sender]

    async def admit(self, sender: Party, gate: Gate, n_words: int) -> None:
        """Wait until a vector of this size may come in.

        Raises:
            MessageInvalid: if the sender used this gate before, whatever it held.
        """
        slot = (sender, gate)
        if slot in self._seen:
            raise MessageInvalid(f"gate {gate} was delivered before")
        self._seen.add(slot)
        while self._fault is None and slot not in self._awaited:
            if self._held[sender] + SLOT_BYTES + 8 * n_words <= self._cap_bytes:
                break
            stalled = asyncio.get_running_loop().create_future()
            self._stalled[sender] = stalled
            await stalled
        if self._fault is not None:
            raise self._fault.again()
        self._held[sender] += SLOT_BYTES + 8 * n_words

    def put(self, sender: Party, gate: Gate, vector: U64) -> None:
        """Store an admitted vector, or hand it to who waits for it."""
        slot = (sender, gate)
        waiting = self._awaited.get(slot)
        if waiting is None:
            self._here[slot] = vector
        elif not waiting.done():
            waiting.set_result(vector)

    def expect(self, slots: Iterable[Slot]) -> dict[Slot, asyncio.Future[U64]]:
        """Announce what will be taken next, so that it is admitted whatever its size."""
        for slot in slots:
            self._awaited[slot] = asyncio.get_running_loop().create_future()
            if self._fault is not None:
                self._refuse(self._awaited[slot])
            elif slot in self._here:
                self._awaited[slot].set_result(self._here.pop(slot))
            self._wake(slot[0])
        return self._awaited

    async def take(self, slot: Slot) -> U64:
        """Return the vector for an expected step as soon as it is here, and forget it."""
        vector = await self._awaited[slot]
        del self._awaited[slot]
        self._held[slot[0]] -= SLOT_BYTES + vector.nbytes
        self._wake(slot[0])
        return vector

    def fail(self, fault: CleanroomError) -> None:
        """End the session here: nothing more comes in, and who waits is told."""
        if self._fault is not None:
            return
        self._fault = fault
        self._here.clear()
        for waiting in self._awaited.values():
            self._refuse(waiting)
        for sender in list(self._stalled):
            self._wake(sender)

    def _refuse(self, waiting: "asyncio.Future[U64]") -> None:
        if self._fault is not None and not waiting.done():
            waiting.set_exception(self._fault.again())
            waiting.exception()  # it is no fault of the loop if nobody waits any more

    def _wake(self, sender: Party) -> None:
        stalled = self._stalled.pop(sender, None)
        if stalled is not None and not stalled.done():
            stalled.set_result(None)
