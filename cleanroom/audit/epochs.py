"""What an owner committed its rows to, epoch by epoch, kept in its state.

Rule: within an epoch rows don't change. An owner that has new rows says so, in its log, where all
members see that an epoch began; a process whose rows differ without that doesn't start.
"""

import json
import secrets
from collections.abc import Collection, Iterator
from typing import Protocol as Interface

from cleanroom.audit.log import append
from cleanroom.audit.record import Kind, Record
from cleanroom.contract.document import Contract
from cleanroom.errors import RowsChanged
from cleanroom.session.statements import Committed
from cleanroom.storage.state import State
from cleanroom.storage.view import Batch, View

TABLE = "commitments"
EPOCH = "epoch"
SALT_BYTES = 32


class Rows(Interface):
    """An owner's loaded tables."""

    def commit(self, table: str, salt: bytes) -> bytes:
        """Return the root over a table's rows."""
        ...


def epoch(view: View) -> int:
    """Return the number of the owner's epoch."""
    return int(view.get(TABLE, EPOCH) or 0)


def begin_epoch(batch: Batch) -> int:
    """Say openly that rows are new ones from the next start on; return the new epoch."""
    new = epoch(batch) + 1
    batch.put(TABLE, EPOCH, b"%d" % new)
    append(batch, Record.now(Kind.EPOCH, epoch=new))
    return new


def committed(
    state: State, contract: Contract, member: str, tables: Collection[str], rows: Rows
) -> tuple[Committed, ...]:
    """Commit to an owner's rows, or find them to be those that it committed to.

    Raises:
        RowsChanged: naming a table whose rows changed within the epoch.
        StateUnavailable: if it can't be written down.
    """
    return tuple(_committed(state, contract, member, tables, rows))


def _committed(
    state: State, contract: Contract, member: str, tables: Collection[str], rows: Rows
) -> Iterator[Committed]:
    for table in sorted(tables):
        with state.reading() as view:
            now = epoch(view)
            row = json.dumps([contract.hash, now, table])
            known = view.get(TABLE, row)
        salt = known[:SALT_BYTES] if known else secrets.token_bytes(SALT_BYTES)
        root = rows.commit(table, salt)
        if known and known[SALT_BYTES:] != root:
            raise RowsChanged(f"{table}: other rows than before in epoch {now}", party=member)
        if not known:
            with state.writing() as batch:
                batch.put(TABLE, row, salt + root, about=(table,))
                about = {"table": table, "epoch": now, "digest": root.hex()}
                append(batch, Record.now(Kind.COMMITTED, contract_hash=contract.hash, **about))
        yield Committed(table=table, epoch=now, root=root.hex())
