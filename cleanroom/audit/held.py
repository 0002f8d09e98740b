"""The newest checkpoint that a process holds of each other member, and what each new one means.

Rule: no channel and no clock. A member's log may only go on: whoever shows another history, or a
shorter one when asked, has diverged, and stays so until people say otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cleanroom.audit.checkpoint import Checkpoint, read
from cleanroom.contract.document import Contract
from cleanroom.errors import LogDiverged, MessageInvalid, NotAuthorised, RowsChanged
from cleanroom.session.statements import Committed, Signed
from cleanroom.session.written import Written
from cleanroom.storage.view import Batch, View
from cleanroom.transport.envelopes import Shown
from protocols.merkle.proofs import ProofInvalid, check_growth

TABLE = "checkpoints held"
ACCEPTED = "logs accepted"


@dataclass(frozen=True, slots=True)
class Held:
    """A checkpoint, and the signed bytes of it."""

    checkpoint: Checkpoint
    signed: Signed


def goes_on(held: Checkpoint, new: Checkpoint, shown: Shown) -> bool:
    """Return whether a checkpoint is proven to go on from the one that is held.

    Returns:
        False if it may well do so, but this proof begins elsewhere.

    Raises:
        LogDiverged, RowsChanged: if it doesn't.
    """
    if new.size < held.size or shown.since != held.size != new.size:
        return False
    if new.size == held.size and new.root != held.root:
        raise LogDiverged(f"shows two histories of {held.size} records", party=new.party)
    if new.size > held.size:
        roots = held.head.root, new.head.root
        try:
            check_growth(held.size, new.size, *roots, shown.proof)
        except ProofInvalid:
            raise diverged(held) from None
    if new.contract_hash == held.contract_hash:
        check_inputs(new.party, held.inputs, new.inputs)
    return True


def diverged(held: Checkpoint) -> LogDiverged:
    """Return that a log doesn't go on from what is held of it."""
    what = f"its log doesn't go on from the {held.size} records that others saw of it"
    return LogDiverged(what, party=held.party)


def check_inputs(party: str, before: Sequence[Committed], now: Sequence[Committed]) -> None:
    """Return if rows changed in no table without a new epoch, under one version of the contract.

    Raises:
        RowsChanged: naming the first table where they did, or where an epoch came again.
    """
    known = {one.table: one for one in before}
    for one in now:
        old = known.get(one.table)
        if old is None or one.epoch > old.epoch:
            continue
        if one.epoch < old.epoch:
            raise RowsChanged(f"{one.table}: went back to epoch {one.epoch}", party=party)
        if one.root != old.root:
            what = f"{one.table}: other rows than before in epoch {one.epoch}"
            raise RowsChanged(what, party=party)


def stored(view: View, contract: Contract) -> Iterator[Held]:
    """Yield what is held, as far as its signers are in the contract with the same keys."""
    for _, content in view.rows(TABLE):
        signed = Written.read(content).signed
        try:
            yield Held(read(signed, contract), signed)
        except (MessageInvalid, NotAuthorised):
            continue  # of another key than the contract's: nothing that it could go on from


def store(batch: Batch, held: Mapping[str, Held]) -> None:
    """Keep checkpoints; older ones of the same members are gone."""
    for party, one in held.items():
        batch.put(TABLE, party, Written.of(one.signed).to_bytes())
        batch.delete(ACCEPTED, party)


def accept(batch: Batch, party: str) -> None:
    """Hold a member to nothing until it says itself, when asked, where its log stands."""
    batch.delete(TABLE, party)
    batch.put(ACCEPTED, party, party.encode())


def accepted(view: View) -> frozenset[str]:
    """Return which members' logs were accepted, and haven't been heard from since."""
    return frozenset(name.decode() for _, name in view.rows(ACCEPTED))
