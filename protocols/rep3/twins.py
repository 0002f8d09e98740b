"""Whether two vertices of a graph have one id: opened as one bit, of the whole graph."""

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal_zero
from protocols.rep3.distinct import same_as_previous
from protocols.rep3.graph import Graph
from protocols.rep3.reveal import reveal_bits
from protocols.rep3.share import Bits
from protocols.rounds import U64, Steps

_ONE = np.uint64(1)
_LANES = np.arange(64, dtype=np.uint64).reshape(64, 1)


def has_twins(ctx: Context, graph: Graph) -> Steps[bool]:
    """Open whether two vertices that are there have the same id; nothing about which.

    Raises:
        PeerMisbehaved: as `reveal_bits`.

    Cost: log2 V + log2 k + 3 rounds; of V vertices with ids of k bits, k V + V / 64 AND gates.
    Security: semi-honest, honest majority; leakage: the one bit.
    """
    there = graph.ids[:1]
    same = yield from same_as_previous(ctx.at("same"), graph.ids)
    twins = yield from and_bits(ctx.at("twins"), same, there)
    none = yield from equal_zero(ctx.at("words"), twins.reshape(-1, 1))
    none = yield from equal_zero(ctx.at("lanes"), _lanes(none.flip(ctx.me)))
    opened = yield from reveal_bits(ctx.at("open"), none.mask(np.array([[1]], dtype=np.uint64)))
    return not opened[0, 0]


def _lanes(word: Bits) -> Bits:
    """Turn one word's bits into 64 planes of one row."""

    def cut(half: U64) -> U64:
        bits: U64 = (half.reshape(1, 1) >> _LANES) & _ONE
        return bits

    return Bits(cut(word.own), cut(word.next))
