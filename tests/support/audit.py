"""Logs and witnesses without a network: states in folders, messages passed by hand."""

from collections import deque
from pathlib import Path

import kept

from cleanroom.audit.record import Kind, Record
from cleanroom.audit.witness import Witness
from cleanroom.session.member import Membership
from cleanroom.session.statements import Committed


def witness_of(member: Membership, folder: Path, *inputs: Committed) -> Witness:
    """Return a process's witness, as it starts: with one more record in its log."""
    witness = Witness(member, kept.state(folder / member.name, "tiny"), inputs)
    witness.log.add(Record.now(Kind.STARTED))
    return witness


def exchange(*witnesses: Witness, by: Witness | None = None) -> None:
    """Have members publish, and pass on all that follows from it, until nobody says anything."""
    by_name = {witness.name: witness for witness in witnesses}
    waiting = deque()

    def send(sender: str, shown) -> None:
        signer = shown.checkpoint.signer
        if signer != sender:
            waiting.append((signer, type(shown)(shown.checkpoint, member=sender)))
            return
        to = [shown.member] if shown.member else [name for name in by_name if name != sender]
        waiting.extend((name, shown) for name in to)

    for witness in [by] if by else witnesses:
        send(witness.name, witness.publish())
    for _ in range(10_000):
        if not waiting:
            break
        to, shown = waiting.popleft()
        if to in by_name:
            for reply in by_name[to].hear(shown):
                send(to, reply)
    assert not waiting
    for witness in witnesses:
        witness.add()
