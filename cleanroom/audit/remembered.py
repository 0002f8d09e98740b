"""What a recipient remembers of the members that answered it: their logs, and their rows.

Rule: from signed rulings alone, whatever a coordinator passes on or withholds. Sessions may end in
another order than they began: only what began after something was known is held to it.
"""

import time
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from cleanroom.audit.held import check_inputs
from cleanroom.audit.log import Head, append
from cleanroom.audit.record import Kind, Record
from cleanroom.errors import LogDiverged
from cleanroom.session.statements import Committed, Request, Ruling
from cleanroom.storage.view import Batch, View

TABLE = "rulings remembered"


class _Known(BaseModel):
    """A member, as it stood in its last ruling.

    Attributes:
        at: when that was noted, in seconds since 1970, rounded up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: int
    contract_hash: str
    size: int
    root: str
    inputs: tuple[Committed, ...]


def remember(batch: Batch, request: Request, rulings: Mapping[str, Ruling], receipt: str) -> None:
    """Note what members stated in a session, and its receipt.

    Args:
        receipt: its digest.

    Raises:
        LogDiverged, RowsChanged: naming a member that stood further, or had other rows, before.
    """
    for party, ruling in rulings.items():
        value = batch.get(TABLE, party)
        known = None if value is None else _Known.model_validate_json(value)
        if ruling.log_root is not None:
            new = _next(known, ruling, request, ruling.log_root)
            batch.put(TABLE, party, new.model_dump_json().encode())
    about = {"session": request.session, "who": request.recipient, "plan_hash": request.plan_hash}
    append(batch, Record.now(Kind.RECEIVED, digest=receipt, **about))


def seen(view: View, party: str) -> Head | None:
    """Return where a member's log stood, as it last ruled."""
    value = view.get(TABLE, party)
    if value is None:
        return None
    known = _Known.model_validate_json(value)
    return Head(known.size, bytes.fromhex(known.root))


def drop(batch: Batch, party: str) -> None:
    """Forget what a member stated."""
    batch.delete(TABLE, party)


def _next(known: _Known | None, ruling: Ruling, request: Request, root: str) -> _Known:
    """Return what is known after a ruling."""
    inputs, size = {one.table: one for one in ruling.inputs}, ruling.log_size
    if known is not None and known.contract_hash == request.contract_hash:
        before = [one for one in known.inputs if not _is_older(inputs.get(one.table), one)]
        later = known.inputs if request.issued_at >= known.at else before
        check_inputs(ruling.party, later, ruling.inputs)
        inputs = {one.table: one for one in known.inputs} | inputs
    if known is not None:
        if size == known.size and root != known.root:
            raise LogDiverged(f"shows two histories of {size} records", party=ruling.party)
        if size < known.size and request.issued_at >= known.at:
            what = f"its log had {known.size} records before, and {size} now"
            raise LogDiverged(what, party=ruling.party)
        if size < known.size:
            size, root = known.size, known.root
    return _Known(
        at=int(time.time()) + 1,
        contract_hash=request.contract_hash,
        size=size,
        root=root,
        inputs=tuple(inputs.values()),
    )


def _is_older(one: Committed | None, known: Committed) -> bool:
    return one is not None and one.epoch < known.epoch
