"""What server and members send each other, as bytes: a head of 8, then parts of known lengths.

Rule: lengths are compared with what a message must have before a part is read. Bodies of words
start at a multiple of 8.

| kind | server to member | member to server |
|---|---|---|
| DEAL | nothing | a deal for this round (`deals`) |
| ASK | participants, the question | masked words, a check a pair, a signature, a deal |
| SIGN | survivors | a signature |
| UNMASK | survivors, signers, signatures, a sealed pair of shares each | a share of each |

The deal is for the next round. Where all must stay there is ASK alone, and its reply ends after the
checks.
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

from protocols.rounds import ProtocolError

HEAD_BYTES = 8
SIGNATURE_BYTES = 64
MOST_ROUNDS = (1 << 32) - 2


class Malformed(ProtocolError):
    """A message isn't one that its sender may send."""


class Kind(IntEnum):
    """What a message is about; a reply has the kind of its request."""

    DEAL = 1
    ASK = 2
    SIGN = 3
    UNMASK = 4


def head(kind: Kind, round_: int) -> bytes:
    """Return how a message of a round begins."""
    return kind.to_bytes(4, "little") + round_.to_bytes(4, "little")


def opened(message: bytes) -> tuple[Kind, int]:
    """Return kind and round of a message.

    Raises:
        Malformed: if it has none.
    """
    kind = int.from_bytes(message[:4], "little")
    if len(message) < HEAD_BYTES or kind not in set(Kind):
        raise Malformed("not a message of a secure sum")
    return Kind(kind), int.from_bytes(message[4:HEAD_BYTES], "little")


def parts(message: bytes, lengths: Sequence[int]) -> list[memoryview]:
    """Return the parts behind the head, without a copy.

    Raises:
        Malformed: if the message isn't exactly as long as they are.
    """
    ends = [HEAD_BYTES]
    for length in lengths:
        ends.append(ends[-1] + length)
    if len(message) != ends[-1]:
        raise Malformed(f"{len(message)} bytes instead of {ends[-1]}")
    view = memoryview(message)
    return [view[start:end] for start, end in pairwise(ends)]
