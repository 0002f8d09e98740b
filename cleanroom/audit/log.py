"""The log in a process's state: records one after another, and the tree of their hashes.

Rule: it is only added to, in one durable transaction with what the record is about. Inner nodes of
the tree are kept beside the records, so that a root or a proof reads a few rows of any log.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cleanroom.audit.record import Record
from cleanroom.errors import LogDamaged, StateUnavailable
from cleanroom.storage.state import State
from cleanroom.storage.view import Batch, View
from protocols.merkle.proofs import prove_growth, prove_leaf
from protocols.merkle.tree import grown, leaf_hash, root

TABLE = "audit log"
_AT_ONCE = 1000  # records that are read in one transaction
_SIZE, _MEMBER = "size", "member"


class Head(NamedTuple):
    """How long a log is, and the hash of all of it.

    Attributes:
        root: of the Merkle tree over its records.
    """

    size: int
    root: bytes


class Log:
    """One process's own log. Any number of its processes may add to it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, *records: Record) -> Head:
        """Add records; on return they are on disk.

        Raises:
            StateUnavailable: if they can't be; then nothing may be done that they tell of.
        """
        with self._state.writing() as batch:
            for record in records:
                append(batch, record)
            return head(batch)

    def head(self) -> Head:
        """Return where the log stands."""
        with self._state.reading() as view:
            return head(view)

    def root_of(self, size: int) -> bytes | None:
        """Return the root that the log had when it was of this size; None if it never was."""
        with self._state.reading() as view:
            if size > _size(view):
                return None
            return root(lambda level, index: _node(view, level, index), size)

    def growth(self, earlier: int, size: int) -> list[bytes]:
        """Return the proof that the log of one size goes on from that of an earlier one."""
        with self._state.reading() as view:
            return prove_growth(lambda level, index: _node(view, level, index), earlier, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that a record stands in the log of this size."""
        with self._state.reading() as view:
            return prove_leaf(lambda level, at: _node(view, level, at), index, size)

    def contents(self) -> Iterator[bytes]:
        """Yield all records as bytes, the first first."""
        start, size = 0, self.head().size
        while start < size:
            end = min(start + _AT_ONCE, size)
            with self._state.reading() as view:
                found = [_content(view, index) for index in range(start, end)]
            yield from found
            start = end


def append(batch: Batch, record: Record) -> None:
    """Add a record within the transaction of what it tells of."""
    content = record.to_bytes()
    size = _size(batch)
    nodes = grown(lambda level, index: _node(batch, level, index), size, leaf_hash(content))
    batch.put(TABLE, f"record {size}", content)
    for level, index, node in nodes:
        if level:
            batch.put(TABLE, f"node {level} {index}", node)
    batch.put(TABLE, _SIZE, b"%d" % (size + 1))


def check_member(view: View, member: str, path: Path) -> None:
    """Refuse another member's state: two processes with one log would contradict each other.

    Raises:
        StateUnavailable: naming whose it is.
    """
    known = view.get(TABLE, _MEMBER)
    if known is not None and known != member.encode():
        remedy = "Name a file of this member's own in its configuration, as `state`."
        raise StateUnavailable(f"{path} is the state of {known.decode()}", remedy=remedy)


def set_member(batch: Batch, member: str) -> None:
    """Note whose state it is."""
    if batch.get(TABLE, _MEMBER) is None:
        batch.put(TABLE, _MEMBER, member.encode())


def head(view: View) -> Head:
    """Return where the log stands in this view of the state."""
    size = _size(view)
    return Head(size, root(lambda level, index: _node(view, level, index), size))


def _size(view: View) -> int:
    return int(view.get(TABLE, _SIZE) or 0)


def _content(view: View, index: int) -> bytes:
    content = view.get(TABLE, f"record {index}")
    if content is None:
        raise LogDamaged(f"record {index} is missing")
    return content


def _node(view: View, level: int, index: int) -> bytes:
    if level == 0:
        return leaf_hash(_content(view, index))
    node = view.get(TABLE, f"node {level} {index}")
    if node is None:
        raise LogDamaged(f"the hash {index} of level {level} is missing")
    return node
