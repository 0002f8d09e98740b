"""Checking that an owner gave both holders of a part the same words."""

import hashlib
from collections.abc import Sequence

import numpy as np

from protocols.context import Context
from protocols.rep3.relation import Relation, planes_of, sums_of
from protocols.rounds import U64, ProtocolError, Round, Steps, expect

_WORDS = 4


class InputInconsistent(ProtocolError):
    """The two copies of an input's part differ: its owner, or the neighbour, cheats.

    Attributes:
        inputs: places of the inputs that differ.
    """

    def __init__(self, inputs: tuple[int, ...]) -> None:
        super().__init__(f"copies of inputs {inputs} differ")
        self.inputs = inputs


def check_copies(ctx: Context, inputs: Sequence[Relation]) -> Steps[None]:
    """Compare the part shared with the previous party, by digest.

    Raises:
        InputInconsistent: naming the inputs whose copies differ.

    Cost: 1 round, 32 bytes an input. Security: finds an owner that shares inconsistently;
        leakage none, a digest is of a uniform part that the receiver should hold too.
    """
    mine = [np.frombuffer(_digest(relation, own=False), dtype=np.uint64) for relation in inputs]
    slot = (ctx.me.prev, ctx.gate)
    inbox = yield Round({(ctx.me.next, ctx.gate): _joined(mine)}, frozenset({slot}))
    theirs = expect(inbox, slot, _WORDS * len(inputs)).reshape(-1, _WORDS)
    differing = tuple(
        i
        for i, relation in enumerate(inputs)
        if theirs[i].tobytes() != _digest(relation, own=True)
    )
    if differing:
        raise InputInconsistent(differing)


def _digest(relation: Relation, *, own: bool) -> bytes:
    digest = hashlib.blake2b(digest_size=8 * _WORDS)
    for share in (relation.valid, planes_of(relation), sums_of(relation)):
        digest.update(np.ascontiguousarray(share.own if own else share.next).data)
    return digest.digest()


def _joined(parts: Sequence[U64]) -> U64:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
