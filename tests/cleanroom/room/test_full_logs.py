"""A member whose log can't be written takes part in nothing, and says why."""

import asyncio
from pathlib import Path

import pytest
import tiny_room

from cleanroom.audit.record import Kind, Record
from cleanroom.errors import StateUnavailable
from cleanroom.party.party import PartyProcess
from cleanroom.session.member import Membership


def filled(party: PartyProcess) -> None:
    """Leave no room for one more record."""
    state = party._keeping._witness._state
    with state._file.transaction(write=False) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    records = [Record.now(Kind.REQUESTED) for _ in range(100)]
    while records:
        try:
            party._keeping._witness.add(*records)
        except StateUnavailable:
            records = records[: len(records) // 2]


def test_nothing_is_computed_with_a_member_that_cannot_log(
    room: dict[str, Membership], folder: Path
) -> None:
    async def work(parties: dict[str, PartyProcess]) -> None:
        await tiny_room.ask(room, "add 3 of bank_a bank_b", "mpc")
        await asyncio.to_thread(filled, parties["bank_b"])
        with pytest.raises(StateUnavailable) as found:
            await tiny_room.ask(room, "add 3 of bank_a bank_b", "mpc")
        assert found.value.party == "bank_b"

    tiny_room.in_room(room, folder, work)
