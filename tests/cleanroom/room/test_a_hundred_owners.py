"""F85: a session on ciphertexts of a hundred owners, over real channels in one process."""

import asyncio
import resource
from pathlib import Path

import tiny_room

from cleanroom.recipient.answers import Answer
from cleanroom.recipient.asking import Asker

MORE = tuple(f"owner_{i}" for i in range(96))
OWNERS = (*tiny_room.OWNERS, "hospital", *MORE)


MEMORY_BYTES = 1 << 30  # that a hundred members and their coordinator may take together


def test_a_hundred_owners_are_summed(tmp_path: Path) -> None:
    room = tiny_room.make_room(tmp_path, MORE)
    contract, sql = room["analyst"].contract, f"total 20 of {' '.join(OWNERS)}"
    plan = tiny_room.plan_of(sql, contract, "he")

    async def run() -> Answer:
        async with tiny_room.running(room, tmp_path, MORE):
            asker = Asker(room["analyst"], tiny_room.tiny_engine())
            return await asker.ask(plan, 100, lambda stage, member: None)

    before = _peak_bytes()
    answer = asyncio.run(run())
    assert _peak_bytes() - before < MEMORY_BYTES
    assert answer.table.to_pydict()["x19"] == [100 * 4950]
    assert len(answer.receipt.verify(contract)) == 1 + 2 * 100


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
