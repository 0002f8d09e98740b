"""Records whose fields are sets of bits: made at random, shared, and put together again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocols.plaintext.linkage import Sets
from protocols.rep3.relation import Column, Relation
from protocols.rep3.scoring import Scoring
from protocols.rep3.share import join_bits, split_bits
from protocols.rep3.slices import from_planes, to_planes
from protocols.rounds import U64, Party

Side = tuple[NDArray[np.uint64], NDArray[np.bool_], dict[str, Sets]]  # ids, rows there, fields
ID_BITS = 40


def persons(n: int, there: float, scoring: Scoring, rng: np.random.Generator) -> Side:
    """Make n rows of which about so many are there, some of their values missing."""
    fields = {}
    for field in scoring.fields:
        known = rng.random(n) < 0.9
        bits = np.zeros((n, 2 * field.most), dtype=bool)
        bits[:, : field.most] = rng.random((n, field.most)) < 0.5
        bits[:, 0] = True
        fields[field.column] = Sets(bits & known[:, None], known)
    return rng.integers(1, 1 << ID_BITS, n, dtype=np.uint64), rng.random(n) < there, fields


def misspelt(side: Side, n: int, rng: np.random.Generator) -> Side:
    """Return n of these persons, or more, in another order, under other ids and with changes."""
    ids, _, fields = side
    order = rng.integers(0, len(ids), n)
    changed = {}
    for name, sets in fields.items():
        known = sets.there[order] & (rng.random(n) < 0.9)
        half = sets.bits.shape[1] // 2
        bits = sets.bits[order]
        bits[:, 1:half] ^= rng.random((n, half - 1)) < rng.choice([0, 0.1], (n, 1))
        changed[name] = Sets(bits & known[:, None], known)
    return rng.integers(1, 1 << ID_BITS, n, dtype=np.uint64), rng.random(n) < 0.8, changed


def share(side: Side) -> list[Relation]:
    """Split one side, a multiple of 64 rows, into three parties' relations."""
    ids, there, fields = side
    columns = {"id": (split_bits(to_planes(ids, ID_BITS)), False)}
    for name, sets in fields.items():
        columns[name] = split_bits(_planes(np.column_stack([~sets.there, sets.bits]))), True
    valid = split_bits(_planes(there[:, None]))
    return [
        Relation(
            len(ids), valid[p], {c: Column(x[p], null) for c, (x, null) in columns.items()}, {}
        )
        for p in Party
    ]


def opened(relations: Sequence[Relation]) -> tuple[NDArray[np.bool_], U64, U64, U64]:
    """Put pairs together: which rows are there, and both ids and the rung of all of them."""
    n = relations[0].n
    left, right, rung = (
        from_planes(join_bits([r.columns[name].planes for r in relations]), n)
        for name in ("left", "right", "rung")
    )
    return rows_there(relations), left, right, rung


def rows_there(relations: Sequence[Relation]) -> NDArray[np.bool_]:
    return from_planes(join_bits([r.valid for r in relations]), relations[0].n).astype(bool)


def _planes(flags: NDArray[np.bool_]) -> U64:
    octets = np.packbits(flags.T, axis=1, bitorder="little")
    return np.ascontiguousarray(octets).view(np.uint64)
