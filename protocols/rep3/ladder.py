"""Linking persons of two relations by a ladder of composite keys: deterministic, one to one.

All rungs' keys are put in order at once; what is left to do one rung after another is to count,
among rows not linked so far, how often each key occurs on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.keyed import Keyed
from protocols.rep3.pairs import pairs_of
from protocols.rep3.relation import Relation, append_rows
from protocols.rep3.rungs import rungs_of
from protocols.rep3.share import ONES, Bits, concat_planes
from protocols.rounds import Steps


@dataclass(frozen=True, slots=True)
class Linked:
    """What a linkage found.

    Attributes:
        pairs: as many rows as `left`, those that are there in front, in the order of rungs, one
            a linked pair: bits columns "left" and "right", the two ids, and "rung", from 1.
        left, right: the relations given, without the rows that were linked.
    """

    pairs: Relation
    left: Relation
    right: Relation


def ladder(
    ctx: Context,
    left: Relation,
    right: Relation,
    keys: Sequence[str],
    ranks: Sequence[str] = (),
) -> Steps[Linked]:
    """Link rows of two relations, key by key; what a rung has linked takes no part in the next.

    A rung links two rows if, among rows not linked so far, its key occurs exactly once on each
    side. Keys that are ambiguous wait for the next rung. NULL matches nothing.

    Args:
        left, right: with a bits column "id"; 64 rows or more each.
        keys: the rungs: bits columns of both relations, all of one width.
        ranks: for each key the bits column that says how many rows of a side, of those that are
            there, stand before a row in the order of the key, NULL last; no two are equal. Rows
            that are there must then stand in front. Without ranks the keys are sorted.

    Raises:
        ValueError: without keys, or if their widths or those of the ids differ.
        ProtocolError: if ranks are no permutation.

    Cost: with n = left.n + right.n rows and r keys, a `merged_orders` of all, or `orders` without
        ranks, and r times a `keyed` at once; then r times 12 +
        ceil(log2(2 ceil(log2(n + 1)) + 1)) rounds one after another, each time about 44 n bytes
        by P0 and half of that by the others; then 9 rounds and about 66 r n bytes by P0.
    Security: semi-honest, honest majority; no leakage: neither how many are linked nor by which
        rung. What is opened are sorts' comparisons and uniformly random permutations.
    """
    _check(left, right, keys, ranks)
    rungs = yield from rungs_of(ctx.at("keys"), left, right, keys, ranks)
    free = _sides(left.valid, right.valid)
    found: list[Bits] = []
    back: list[Bits] = []
    for i, rung in enumerate(rungs):
        found.append((yield from _linked(ctx.at(f"rung{i}"), rung, free)))
        back.append((yield from rung.restored(ctx.at(f"back{i}"), found[i])))
        free = free ^ back[i]
    pairs = yield from pairs_of(ctx.at("pairs"), left, right, rungs, found, back)
    at = left.n // 64
    return Linked(pairs, _without(left, free[:1, :at]), _without(right, free[1:, at:]))


def _check(left: Relation, right: Relation, keys: Sequence[str], ranks: Sequence[str]) -> None:
    if not keys:
        raise ValueError("a ladder needs a key")
    if ranks and len(ranks) != len(keys):
        raise ValueError(f"{len(keys)} keys, {len(ranks)} ranks")
    for name in ("id", *keys):
        first, second = (side.columns[name].value.shape[0] for side in (left, right))
        if first != second:
            raise ValueError(f"column {name} has {first} bits left, {second} right")
    if left.columns["id"].nullable or right.columns["id"].nullable:
        raise ValueError("ids may not be NULL")


def _linked(ctx: Context, rung: Keyed, free: Bits) -> Steps[Bits]:
    """Return the rows that a rung links, a plane for each side, in the order of its keys."""
    marks = yield from rung.ordered(ctx.at("free"), free)
    single = yield from rung.in_one_pair(ctx.at("pair"), marks)
    return (yield from and_bits(ctx.at("linked"), marks, single))


def _sides(left: Bits, right: Bits) -> Bits:
    """Return two planes over the rows of both, each zero in the other's rows."""
    planes = append_rows(left, right)
    first = np.zeros((1, planes.shape[1]), dtype=np.uint64)
    first[:, : left.shape[1]] = ONES
    return concat_planes([planes.mask(first), planes.mask(~first)])


def _without(relation: Relation, valid: Bits) -> Relation:
    return replace(relation, valid=valid, clean=False, sorted_by=None)
