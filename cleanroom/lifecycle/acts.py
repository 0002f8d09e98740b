"""What an owner does to its state, each with its line in the log.

Rule: whatever is done is on disk, and in the log, when the function returns. Reasons and persons
stay out of the log; a reason's hash stands in it, its words in the sealed state.
"""

import hashlib
from pathlib import Path

from cleanroom.audit.log import append
from cleanroom.audit.record import Kind, Record
from cleanroom.contract.document import Contract
from cleanroom.errors import UnknownName
from cleanroom.identity.identity import Identity
from cleanroom.lifecycle.certificate import Certificate, now
from cleanroom.storage.backup import Summary
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.safekeeping import BACKUPS, Lock, back_up, confirm
from cleanroom.storage.state import State
from cleanroom.storage.view import Batch

_REASONS = "reasons"


def rotate(state: State, keys: Keys | None = None) -> None:
    """Seal everything anew under new keys; see `State.rekey`."""

    def note(batch: Batch, _left: int) -> None:
        append(batch, Record.now(Kind.KEY_ROTATED))

    state.rekey(keys, note=note)


def backed_up(state: State, path: Path, lock: Lock) -> Summary:
    """Write a backup; the log's line of it is in the backup too."""
    with state.writing() as batch:
        append(batch, Record.now(Kind.BACKED_UP))
    return back_up(state, path, lock)


def confirmed(state: State, reason: str) -> None:
    """Let a state that came out of a backup pay again, for a reason that is kept."""
    digest = hashlib.sha256(reason.encode()).hexdigest()
    with state.writing() as batch:
        batch.put(_REASONS, digest, reason.encode())
        append(batch, Record.now(Kind.RESTORED, digest=digest))
        confirm(batch)


def erase(state: State, contract: Contract, identity: Identity, table: str) -> Certificate:
    """Destroy what is kept about a table, with its keys; from then on it takes part in nothing.

    Once more, it destroys what came since, and certifies that.

    Raises:
        UnknownName: if the contract doesn't have the table.
        StateUnavailable: if there is no room for what stays. Nothing was destroyed then.
    """
    if table not in contract.terms.tables:
        remedy = f"The contract has {', '.join(contract.terms.tables)}."
        raise UnknownName(f"no table {table!r} in the contract", remedy=remedy)
    certificates: list[Certificate] = []

    def note(batch: Batch, left: int) -> None:
        backups = {row: day.decode() for row, day in batch.rows(BACKUPS)}
        bare = Certificate(
            room=contract.terms.room.name,
            contract_hash=contract.hash,
            member=identity.name,
            table=table,
            when=now(),
            values=left,
            backups=backups,
        )
        certificates.append(bare.signed_by(identity))
        append(batch, Record.now(Kind.ERASED, table=table, digest=bare.digest))

    state.rekey(without=table, note=note)
    return certificates[-1]
