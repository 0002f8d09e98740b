"""A log as a file that a third party can judge: records, checkpoints, the contract they are under.

Rule: one JSON object a line: the first for all, then one for each record. Signed and hashed bytes
stand in it exactly, as text. What isn't of this form and size is refused before it is used.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.audit import checkpoint as checkpoints
from cleanroom.audit.checkpoint import Checkpoint
from cleanroom.audit.held import stored
from cleanroom.audit.log import Log
from cleanroom.audit.record import MAX_BYTES, Record
from cleanroom.audit.verify import Entry
from cleanroom.contract.document import Contract
from cleanroom.contract.fields import Hash
from cleanroom.errors import LogDamaged, MessageInvalid, NotAuthorised
from cleanroom.identity import files
from cleanroom.session.member import Membership
from cleanroom.session.written import Written
from cleanroom.storage.state import State
from protocols.merkle.tree import leaf_hash

_MAX_LINE = 32 << 20
M = TypeVar("M", bound=BaseModel)


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["cleanroom log v1"] = "cleanroom log v1"
    contract: str
    checkpoint: Written
    held: Annotated[tuple[Written, ...], Field(max_length=1000)]
    whole: bool


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    index: Annotated[int, Field(ge=0, lt=1 << 62)]
    leaf: Hash
    record: Annotated[str, Field(max_length=MAX_BYTES)]
    proof: Annotated[tuple[Hash, ...], Field(max_length=64)] = ()


@dataclass(frozen=True)
class Bundle:
    """An exported log.

    Attributes:
        checkpoint: signed when it was exported.
        held: what its member held of others.
        whole: whether all records are in it.
    """

    path: Path
    contract: Contract
    checkpoint: Checkpoint
    held: tuple[Checkpoint, ...]
    whole: bool

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read what a bundle says of all its records, once its signatures hold.

        Raises:
            LogDamaged: if it isn't a bundle, or its checkpoint isn't its member's.
            ContractInvalid: if the contract in it doesn't hold.
        """
        header = _decoded(_Header, next(_lines(path), b""), f"{path}: line 1")
        contract = Contract.from_bytes(header.contract.encode())
        try:
            own = checkpoints.read(header.checkpoint.signed, contract)
            held = tuple(checkpoints.read(one.signed, contract) for one in header.held)
            contract.check(dt.datetime.fromtimestamp(own.at / 1000, dt.UTC).date())
        except (MessageInvalid, NotAuthorised) as error:
            raise LogDamaged(f"{path}: {error.message}", party=error.party) from None
        return cls(path, contract, own, held, header.whole)

    def entries(self) -> Iterator[Entry]:
        """Yield the records as the file has them.

        Raises:
            LogDamaged: at a line that isn't one.
        """
        lines = _lines(self.path)
        next(lines)
        for number, line in enumerate(lines, start=2):
            found = _decoded(_Line, line, f"{self.path}: line {number}")
            proof = tuple(bytes.fromhex(one) for one in found.proof)
            yield Entry(found.index, found.record.encode(), bytes.fromhex(found.leaf), proof)


def entries_of(log: Log) -> Iterator[Entry]:
    """Yield the records of a log in a state."""
    for index, content in enumerate(log.contents()):
        yield Entry(index, content, leaf_hash(content))


def export(
    path: Path,
    member: Membership,
    state: State,
    keep: Callable[[Record], bool] | None = None,
) -> int:
    """Write a log into a file, or single records with their proofs; return how many.

    Raises:
        LogDamaged: if the log or the file can't be used.
    """
    log = Log(state)
    head = log.head()
    with state.reading() as view:
        held = tuple(Written.of(one.signed) for one in stored(view, member.contract))
    header = _Header(
        contract=member.contract.to_bytes().decode(),
        checkpoint=Written.of(checkpoints.sign(member.identity, member.contract, head)),
        held=held,
        whole=keep is None,
    )
    lines: list[BaseModel] = [header]
    for entry in entries_of(log):
        if entry.index < head.size and (keep is None or keep(Record.of(entry.content))):
            lines.append(
                _line(entry, () if keep is None else log.inclusion(entry.index, head.size))
            )
    content = "".join(line.model_dump_json() + "\n" for line in lines)
    files.replace(path, content.encode(), LogDamaged)
    return len(lines) - 1


def _line(entry: Entry, proof: "list[bytes] | tuple[()]") -> _Line:
    return _Line(
        index=entry.index,
        leaf=entry.leaf.hex(),
        record=entry.content.decode(),
        proof=tuple(one.hex() for one in proof),
    )


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                yield line
    except OSError as error:
        raise LogDamaged(f"cannot read {path}: {error.strerror}") from None


def _decoded(kind: type[M], line: bytes, where: str) -> M:
    try:
        return kind.model_validate_json(line)
    except ValidationError:
        raise LogDamaged(f"{where} isn't of an exported log") from None
