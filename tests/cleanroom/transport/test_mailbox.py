"""The mailbox: each step once, bounded, and nobody waits for ever."""

import asyncio

import numpy as np
import pytest

from cleanroom.errors import MessageInvalid, PeerUnavailable
from cleanroom.transport.mailbox import SLOT_BYTES, Mailbox
from protocols.rounds import Gate, Party

WORDS = np.arange(100, dtype=np.uint64)


async def send(box: Mailbox, gate: str, sender: Party = Party.P1) -> None:
    await box.admit(sender, Gate(gate), WORDS.size)
    box.put(sender, Gate(gate), WORDS)


def test_delivery_before_and_after_it_is_asked_for() -> None:
    async def run() -> None:
        box = Mailbox()
        await send(box, "early")
        box.expect([(Party.P1, Gate("early")), (Party.P1, Gate("late"))])
        await send(box, "late")
        for gate in ("early", "late"):
            assert (await box.take((Party.P1, Gate(gate)))) is WORDS
        assert box.held(Party.P1) == 0

    asyncio.run(run())


def test_a_gate_is_accepted_once_from_each_sender() -> None:
    async def run() -> None:
        box = Mailbox()
        await send(box, "g")
        await send(box, "g", Party.P2)
        with pytest.raises(MessageInvalid, match="before"):
            await send(box, "g")

    asyncio.run(run())


def test_a_peer_that_runs_ahead_is_held_back_until_its_words_are_taken() -> None:
    async def run() -> None:
        box = Mailbox(cap_bytes=2000 + 2 * SLOT_BYTES)
        await send(box, "0")
        await send(box, "1")
        third = asyncio.ensure_future(send(box, "2"))
        await send(box, "other", Party.P2)  # one peer's cap is not the other's
        await asyncio.sleep(0)
        assert not third.done()
        assert box.held(Party.P1) == 1600 + 2 * SLOT_BYTES

        box.expect([(Party.P1, Gate("0"))])
        await box.take((Party.P1, Gate("0")))
        await third
        assert box.held(Party.P1) == 1600 + 2 * SLOT_BYTES

    asyncio.run(run())


def test_an_awaited_vector_is_admitted_whatever_its_size() -> None:
    async def run() -> None:
        box = Mailbox(cap_bytes=8)
        sending = asyncio.ensure_future(send(box, "big"))
        await asyncio.sleep(0)
        assert not sending.done()
        box.expect([(Party.P1, Gate("big"))])
        assert (await box.take((Party.P1, Gate("big")))) is WORDS
        await sending

    asyncio.run(run())


def test_failing_tells_who_waits_on_either_side() -> None:
    async def run() -> None:
        box = Mailbox(cap_bytes=8)
        fault = PeerUnavailable("gone", party="bank_c")
        sending = asyncio.ensure_future(send(box, "g"))
        box.expect([(Party.P2, Gate("h"))])
        waiting = asyncio.ensure_future(box.take((Party.P2, Gate("h"))))
        await asyncio.sleep(0)
        box.fail(fault)
        for task in (sending, waiting):
            with pytest.raises(PeerUnavailable):
                await task
        with pytest.raises(PeerUnavailable):
            await send(box, "later")

    asyncio.run(run())
